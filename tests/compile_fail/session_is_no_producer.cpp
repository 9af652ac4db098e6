// fails: conversion from .*Id128|cannot convert|no viable conversion|could not convert
// Both are 128 random bits; confusing them would give one writer's sequences to another.
#include "orzatty/ids.h"

namespace orzatty {

ProducerId producer_of(const SessionId& session) {
#ifdef ORZATTY_BROKEN
  return session;
#else
  return ProducerId{session.bytes};
#endif
}

}  // namespace orzatty
