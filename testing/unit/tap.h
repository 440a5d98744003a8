/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program: functions of many checks each, one TAP line per function.
 *
 *	static void test_this(void)
 *	{
 *		CHECK(a == b, "a %d b %d", a, b);
 *	}
 *
 *	int main(void)
 *	{
 *		TAP_RUN(test_this);
 *		return tap_done();
 *	}
 *
 * A function that comes to no check at all fails: a loop that never ran proves nothing.
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Diagnostics printed for one function; the failures beyond are only counted. */
#define TAP_MAX_DIAG	8
/* The longest function takes about one, but machines differ. */
#define TAP_SECONDS	120

static unsigned int tap_tests, tap_failed;
static unsigned long tap_checks, tap_bad;

__attribute__((format(printf, 4, 5), unused))
static void tap_report(const char *file, int line, const char *what, const char *fmt, ...)
{
	char text[1024], *c;
	va_list ap;

	if (++tap_bad > TAP_MAX_DIAG)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Some tests are of hostile bytes; a log is no place for them. */
	for (c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	printf("# %s:%d: %s: %s\n", file, line, what, text);
}

#define CHECK(cond, ...)							\
	do {									\
		tap_checks++;							\
		if (!(cond))							\
			tap_report(__FILE__, __LINE__, #cond, __VA_ARGS__);	\
	} while (0)

__attribute__((unused))
static void tap_run(const char *name, void (*test)(void))
{
	tap_checks = 0;
	tap_bad = 0;
	/* A test that hangs dies of SIGALRM, and with it the program. */
	alarm(TAP_SECONDS);
	test();
	tap_tests++;
	if (tap_bad || !tap_checks)
		tap_failed++;
	printf("%s %u - %s: %lu checks", tap_bad || !tap_checks ? "not ok" : "ok", tap_tests, name,
	       tap_checks);
	if (tap_bad)
		printf(", %lu failed", tap_bad);
	putchar('\n');
	fflush(stdout);
}

#define TAP_RUN(test)	tap_run(#test, test)

__attribute__((unused))
static int tap_done(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Random numbers that are the same in every run (xorshift64*). */
static uint64_t tap_seed = 0x9e3779b97f4a7c15;

__attribute__((unused))
static uint64_t rnd(void)
{
	tap_seed ^= tap_seed >> 12;
	tap_seed ^= tap_seed << 25;
	tap_seed ^= tap_seed >> 27;
	return tap_seed * 0x2545f4914f6cdd1d;
}

/* Take the lowest digit off a number of mixed base: one loop for many nested ones. */
__attribute__((unused))
static uint32_t digit(uint32_t *number, uint32_t base)
{
	uint32_t d = *number % base;

	*number /= base;
	return d;
}

/* From @lo to @hi, both included. */
__attribute__((unused))
static uint64_t rnd_in(uint64_t lo, uint64_t hi)
{
	return lo + rnd() % (hi - lo + 1);
}

#endif
