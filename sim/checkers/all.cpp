#include "sim/checkers/all.h"

#include "sim/checkers/agreement.h"
#include "sim/checkers/authenticity.h"
#include "sim/checkers/continuity.h"
#include "sim/checkers/deadlines.h"
#include "sim/checkers/directs.h"
#include "sim/checkers/fate_ledger.h"
#include "sim/checkers/fencing.h"
#include "sim/checkers/latest_values.h"
#include "sim/checkers/memory.h"
#include "sim/checkers/producer_order.h"
#include "sim/checkers/progress.h"
#include "sim/checkers/refusals.h"
#include "sim/checkers/requests.h"
#include "sim/checkers/sessions.h"
#include "sim/checkers/strangers.h"

namespace orzatty::sim {

std::vector<std::unique_ptr<Checker>> all_checkers(Archive& archive, const ServerConfig& server,
                                                   const Trace& trace) {
  std::vector<std::unique_ptr<Checker>> all;
  all.push_back(std::make_unique<Agreement>(archive, server));
  all.push_back(std::make_unique<ProducerOrder>(server));
  all.push_back(std::make_unique<Refusals>(archive));
  all.push_back(std::make_unique<Authenticity>());
  all.push_back(std::make_unique<FateLedger>());
  all.push_back(std::make_unique<Continuity>(archive, server));
  all.push_back(std::make_unique<LatestValues>(server));
  all.push_back(std::make_unique<Sessions>());
  all.push_back(std::make_unique<Fencing>());
  all.push_back(std::make_unique<Deadlines>(archive, trace));
  all.push_back(std::make_unique<Directs>());
  all.push_back(std::make_unique<Requests>(server, trace));
  all.push_back(std::make_unique<Strangers>());
  all.push_back(std::make_unique<Memory>(server));
  all.push_back(std::make_unique<Progress>(trace));
  return all;
}

}  // namespace orzatty::sim
