// Times by how often they came, in the layout of HdrHistogram with three significant digits: each
// bucket is at most 0.1 % wide, from a nanosecond to an hour, and recording is one addition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "orzatty/time.h"

namespace orzatty::apps {

class Histogram {
 public:
  static constexpr Duration kTimeMax = std::chrono::hours(1);  // longer ones count as this

  Histogram();
  void record(Duration time);
  void add(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The greatest time of the bucket that this percentage of all does not exceed; zero of none.
  [[nodiscard]] Duration at(double percentile) const;
  [[nodiscard]] Duration max() const { return max_; }

  // The percentile distribution as HdrHistogram's tools write and plot it, in microseconds.
  [[nodiscard]] std::string distribution() const;

 private:
  struct Moments {
    double mean = 0;
    double deviation = 0;
  };
  [[nodiscard]] Moments moments() const;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Duration max_{};
};

}  // namespace orzatty::apps
