// All publishers of a client: which stream carries whom, what the server's answers mean for each,
// and the Governor, whose room they share. One thread.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/newsline.h"
#include "client/publication.h"
#include "session/governor.h"
#include "session/send_table.h"
#include "wire/datagram.h"

namespace orzatty::client {

class Publications final : public session::Refill {
 public:
  // However many share the Governor's room: less than a burst of packets helps nobody.
  static constexpr std::uint64_t kRoomMin = 64 * 1024;
  // So many are looked at each time; of more, those that told news, and all of them so often.
  static constexpr std::size_t kFewCount = 16;
  static constexpr Duration kLookEvery = std::chrono::microseconds(200);

  Publications(const Limits& limits, const ProducerId& producer);

  [[nodiscard]] PublicationId add(const ChannelName& channel, const PublicationOptions& options,
                                  const NamedProducer* named);
  // Of one that has not ended.
  [[nodiscard]] Publication& at(PublicationId id);
  // Nobody writes to it any more.
  void retire(PublicationId id);
  // Those that are retired and have nothing left to do.
  void end_retired(Outputs& outputs);
  // A session was welcomed, and is there until lose().
  void open(session::ClientSession& session);
  void lose();

  void refill(session::StreamKey stream, session::SendQueue& queue) override;
  bool offer_datagram(session::StreamKey stream, session::SendQueue& queue,
                      session::Offer& offer) override;
  void datagram_taken(session::StreamKey stream) override;
  void datagram_refused(session::StreamKey stream) override;
  // The fates that messages got while packets were built. Before those that they get later.
  void tell_fates(Outputs& outputs);
  void wake(PublicationId id);
  // Looks who has something to send, and what of it need not be sent any more.
  void look(Instant now, Outputs& outputs);
  // Somebody appended what no look() has seen. One that others append to meanwhile may be missed.
  [[nodiscard]] bool has_news() const { return !newsline_.empty(); }
  // Nobody is, behind a barrier. Looks at all of them.
  [[nodiscard]] bool has_any_news();
  // The transport acknowledged `size` bytes of whichever stream.
  void acked(std::uint64_t size, Duration smoothed_rtt, Instant now);
  // The transport closed a stream that is a publication's or not: false when it had no right to.
  [[nodiscard]] bool closed(session::StreamKey stream);

  std::expected<void, ProtocolError> accepted(const wire::Ack& ack, Outputs& outputs);
  std::expected<void, ProtocolError> rejected(const wire::Reject& reject, Outputs& outputs);
  [[nodiscard]] std::optional<Instant> next_expiry();
  void give_up(ErrorCode code, std::string_view text, Outputs& outputs);
  [[nodiscard]] bool settled();

 private:
  using Items = std::vector<std::unique_ptr<Publication>>;
  struct Datagram {
    wire::DatagramHeader header;
    wire::FramesAhead frames;
  };

  [[nodiscard]] Items::iterator position(PublicationId id);
  [[nodiscard]] Publication* find(PublicationId id);
  void add_busy(Publication& publication);
  void take_news();
  // Whether it has something to send.
  [[nodiscard]] bool look_at(Publication& publication, Instant now, Outputs& outputs);
  void open_one(Publication& publication);
  void share_room();
  [[nodiscard]] bool owns(session::StreamKey stream) const;
  // Nothing for one that ended, of which an answer may still be on its way.
  [[nodiscard]] std::expected<Publication*, ProtocolError> find(PublicationId id,
                                                                std::string_view where);

  const Limits limits_;
  const ProducerId producer_;
  std::uint64_t made_ = 0;
  base::Newsline newsline_;            // before who tells there
  Items items_;                        // ascending by id
  std::vector<Publication*> busy_;     // who may have something to send
  Instant looked_at_all_{};
  std::vector<Publication*> retired_;  // that have not ended
  std::vector<Publication*> streams_;  // by stream key
  session::ClientSession* session_ = nullptr;
  session::Governor governor_;
  Duration round_trip_{};
  Datagram datagram_;            // that was offered last
  Outputs fates_;                // of datagrams
};

}  // namespace orzatty::client
