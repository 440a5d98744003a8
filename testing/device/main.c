// SPDX-License-Identifier: GPL-2.0
/*
 * nvmq-device: an NVMe controller that judges its host, and lies to it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "device.h"
#include "steer.h"

#define EXIT_VIOLATION	1
#define EXIT_TROUBLE	2

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static void write_stats(void *ctx, FILE *out)
{
	struct device *device = ctx;

	ctrl_stats(device->ctrl, out);
}

static void clear_stats(void *ctx)
{
	struct device *device = ctx;

	memset(&device->ctrl->stats, 0, sizeof(device->ctrl->stats));
}

static const struct control_ops control_ops = {
	.stats = write_stats,
	.clear_stats = clear_stats,
	.commands = steer_commands,
};

/* Until a message comes, or @until; true if there is something at the control socket. */
static bool wait_for(struct device *device, struct control *control, uint64_t until,
		     const sigset_t *mask)
{
	struct pollfd fds[VFU_NR_FDS + CONTROL_FDS];
	unsigned int nr, nr_vfu, i;
	uint64_t now = clock_now();
	struct timespec ts;

	ts.tv_sec = until > now ? (until - now) / 1000000000 : 0;
	ts.tv_nsec = until > now ? (until - now) % 1000000000 : 0;
	nr_vfu = vfu_fds(device->vfu, fds);
	nr = nr_vfu + control_fds(control, fds + nr_vfu);
	if (device->clock->tracing)
		clock_trace_flush(device->clock);
	if (ppoll(fds, nr, until == CLOCK_NEVER ? NULL : &ts, mask) <= 0)
		return false;
	for (i = nr_vfu; i < nr; i++)
		if (fds[i].revents)
			return true;
	return false;
}

static int serve(struct device *device, struct control *control, const sigset_t *mask)
{
	unsigned int busy = 0;
	uint64_t until;
	int more;

	while (!stop) {
		more = device_step(device);
		if (more < 0)
			return more;
		/* A busy client must not keep the control socket waiting, nor a signal. */
		if (more && ++busy < 1000)
			continue;
		busy = 0;
		until = more ? 0 : ctrl_next(device->ctrl);
		if (wait_for(device, control, until, mask) && !control_process(control))
			return 0;
	}
	return 0;
}

static int begin(struct device *device, const struct options *opt, struct control **control)
{
	char why[256];
	int err;

	if (*opt->script && script_load(device->script, opt->script, why, sizeof(why))) {
		fprintf(stderr, "nvmq-device: %s\n", why);
		return -EINVAL;
	}
	if (*opt->clock && clock_set(device->clock, opt->clock, why, sizeof(why))) {
		fprintf(stderr, "nvmq-device: --clock: %s\n", why);
		return -EINVAL;
	}
	if (*opt->trace) {
		err = clock_trace_on(device->clock, opt->trace);
		if (err) {
			fprintf(stderr, "nvmq-device: %s: %s\n", opt->trace, strerror(-err));
			return err;
		}
	}
	if (*opt->control) {
		err = control_listen(opt->control, device->script, device->clock, device->judge,
				     &control_ops, device, control);
		if (err) {
			fprintf(stderr, "nvmq-device: %s: %s\n", opt->control, strerror(-err));
			return err;
		}
	}
	err = vfu_listen(device->vfu, opt->socket);
	if (err)
		fprintf(stderr, "nvmq-device: %s: %s\n", opt->socket, strerror(-err));
	return err;
}

static int print_lies(const char *file)
{
	struct script *script = script_new();
	char why[256] = "no memory";
	int err = script ? script_load(script, file, why, sizeof(why)) : -ENOMEM;

	if (err)
		fprintf(stderr, "nvmq-device: %s\n", why);
	else
		script_print(script, stdout, false);
	script_free(script);
	return err ? EXIT_TROUBLE : 0;
}

int main(int argc, char **argv)
{
	static struct options opt;
	struct sigaction action = { .sa_handler = on_signal };
	struct control *control = NULL;
	struct device *device;
	sigset_t block, mask;
	FILE *log = stderr;
	int status = 0, err;
	char why[256];

	err = options_parse(&opt, argc, argv, why, sizeof(why));
	if (err > 0) {
		options_usage(stdout);
		return 0;
	}
	if (err) {
		fprintf(stderr, "nvmq-device: %s (nvmq-device --help)\n", why);
		return EXIT_TROUBLE;
	}
	if (*opt.print_lies)
		return print_lies(opt.print_lies);
	if (*opt.log) {
		log = fopen(opt.log, "a");
		if (!log) {
			fprintf(stderr, "nvmq-device: %s: %s\n", opt.log, strerror(errno));
			return EXIT_TROUBLE;
		}
	}
	/* Signals come only where nothing is lost by them: in ppoll(). */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &mask);
	sigdelset(&mask, SIGTERM);
	sigdelset(&mask, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);

	device = device_new(&opt, log);
	if (!device) {
		fprintf(stderr, "nvmq-device: no memory, or no such file\n");
		return EXIT_TROUBLE;
	}
	if (begin(device, &opt, &control) || serve(device, control, &mask) < 0)
		status = EXIT_TROUBLE;
	if (*opt.log) {
		fprintf(log, "counts of everything:\n");
		ctrl_stats(device->ctrl, log);
	}
	if (judge_total(device->judge)) {
		fprintf(log, "%lu violations\n", judge_total(device->judge));
		if (opt.judge == JUDGE_FAIL && !status)
			status = EXIT_VIOLATION;
	}
	if (control)
		control_close(control);
	device_free(device);
	if (log != stderr)
		fclose(log);
	return status;
}
