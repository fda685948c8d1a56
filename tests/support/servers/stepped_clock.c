/* Loaded into a Valkey before its C library (LD_PRELOAD): its wall clock is wrong by as many seconds
 * as the file says that CURFEW_CLOCK_STEP names. Its monotonic clock is right, as on a machine whose
 * clock is set. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile int64_t *step;

__attribute__((constructor)) static void map_step(void) {
  step = mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, open(getenv("CURFEW_CLOCK_STEP"), O_RDONLY), 0);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*right)(clockid_t, struct timespec *);
  if (!right) right = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = right(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += *step;
  return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec precise;
  int failed = clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return failed;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
