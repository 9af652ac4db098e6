#include "histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>

namespace orzatty::apps {
namespace {

// The first bucket has 2,048 steps of a nanosecond, each further one 1,024 that are twice as wide.
constexpr unsigned kHalfBits = 10;
constexpr std::uint64_t kHalf = 1U << kHalfBits;
constexpr unsigned kTicksPerHalfDistance = 5;  // as HdrHistogram's own tools print it

unsigned bucket_of(std::uint64_t value) {
  const auto bits = static_cast<unsigned>(std::bit_width(value | (2 * kHalf - 1)));
  return bits - kHalfBits - 1;
}

std::size_t index_of(std::uint64_t value) {
  const unsigned bucket = bucket_of(value);
  return bucket * kHalf + (value >> bucket);
}

// The greatest value that has this index.
std::uint64_t value_at(std::size_t index) {
  if (index < 2 * kHalf) return index;
  const std::size_t bucket = index / kHalf - 1;
  return ((index - bucket * kHalf + 1) << bucket) - 1;
}

std::uint64_t middle_of(std::size_t index) {
  if (index < 2 * kHalf) return index;
  const std::size_t bucket = index / kHalf - 1;
  return ((index - bucket * kHalf) << bucket) + (std::uint64_t{1} << bucket) / 2;
}

constexpr auto kValueMax = static_cast<std::uint64_t>(Histogram::kTimeMax.count());

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

template <class... Values>
std::string line(const char* format, Values... values) {
  std::array<char, 128> text{};
  const int size = std::snprintf(text.data(), text.size(), format, values...);
  return {text.data(), static_cast<std::size_t>(size)};
}

// The next percentage to print: the nearer to 100, the smaller the steps.
double next_level(double level) {
  const double half_distance = std::exp2(std::floor(std::log2(100 / (100 - level))) + 1);
  return level + 100 / (kTicksPerHalfDistance * half_distance);
}

}  // namespace

Histogram::Histogram() : counts_(index_of(kValueMax) + 1) {}

void Histogram::record(Duration time) {
  const Duration held = std::clamp(time, Duration::zero(), kTimeMax);
  ++counts_[index_of(static_cast<std::uint64_t>(held.count()))];
  ++count_;
  max_ = std::max(max_, held);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Duration Histogram::at(double percentile) const {
  // A little less, or 99.9 % of a thousand would be a thousand by rounding.
  const double share = std::nextafter(percentile, 0.0) / 100;
  const auto wanted =
      static_cast<std::uint64_t>(std::max(1.0, std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(max_, Duration(static_cast<Duration::rep>(value_at(i))));
  }
  return max_;
}

Histogram::Moments Histogram::moments() const {
  if (count_ == 0) return {};
  const auto all = static_cast<double>(count_);
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const double value = microseconds(middle_of(i));
    sum += value * static_cast<double>(counts_[i]);
    squares += value * value * static_cast<double>(counts_[i]);
  }
  const double mean = sum / all;
  return {.mean = mean, .deviation = std::sqrt(std::max(0.0, squares / all - mean * mean))};
}

std::string Histogram::distribution() const {
  std::string text =
      line("%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  double level = 0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size() && seen < count_; ++i) {
    if (counts_[i] == 0) continue;
    seen += counts_[i];
    const double reached = 100 * static_cast<double>(seen) / static_cast<double>(count_);
    const double value = microseconds(value_at(i));
    // The greatest one has a line at its level, however many are left, and one at the end.
    for (bool more = true; more && level <= reached; level = next_level(level)) {
      text += line("%12.3f %2.12f %10llu %14.2f\n", value, level / 100,
                   static_cast<unsigned long long>(seen), 100 / (100 - level));
      more = seen < count_;
    }
    if (seen == count_) {
      text += line("%12.3f %2.12f %10llu\n", value, 1.0, static_cast<unsigned long long>(seen));
    }
  }
  const Moments all = moments();
  text += line("#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", all.mean, all.deviation);
  text += line("#[Max     = %12.3f, Total count    = %12llu]\n",
               microseconds(static_cast<std::uint64_t>(max_.count())),
               static_cast<unsigned long long>(count_));
  text += line("#[Buckets = %12u, SubBuckets     = %12llu]\n", bucket_of(kValueMax) + 1,
               static_cast<unsigned long long>(2 * kHalf));
  return text;
}

}  // namespace orzatty::apps
