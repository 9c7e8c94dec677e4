// How the operating system runs a loop's thread.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <cstring>
#include <string>

namespace gapless {

struct Scheduling {
    int priority = 0;  // SCHED_FIFO, 1 to 99; 0: as everybody
    int cpu = -1;      // the only one to run on; -1: any
};

// For the calling thread. Says what was refused, and why; empty when nothing was.
inline std::string apply(const Scheduling& scheduling) {
    std::string refused;
    const auto note = [&](const std::string& what, int error) {
        if (error != 0) refused += (refused.empty() ? "" : "; ") + what + ": " + std::strerror(error);
    };
    if (scheduling.cpu >= 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        if (scheduling.cpu < CPU_SETSIZE) CPU_SET(scheduling.cpu, &cpus);
        note("CPU " + std::to_string(scheduling.cpu), pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus));
    }
    if (scheduling.priority > 0) {
        sched_param parameter{};
        parameter.sched_priority = scheduling.priority;
        note("SCHED_FIFO " + std::to_string(scheduling.priority),
             pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter));
    }
    return refused;
}

}  // namespace gapless
