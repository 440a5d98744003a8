// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded into spdk_nvme_perf (LD_PRELOAD) to put markers around its work: it
 * waits at a barrier for its threads, of which there is one, before the first
 * command, and destroys the barrier when it has printed what it counted.
 */
#include <pthread.h>

#include "marker.h"

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
	(void)barrier;
	MARK(MARKER_START);
	return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	(void)barrier;
	MARK(MARKER_STOP);
	return 0;
}
