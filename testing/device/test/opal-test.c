// SPDX-License-Identifier: GPL-2.0
/*
 * Security Send and Receive, and the disk that locks itself: what a host may ask, what is
 * refused, and that no rubbish in a packet does any harm.  opal.sh of the selftests has the
 * kernel talk to it.
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#include "exec.h"
#include "opal.h"

#define DNR(sc)		((sc) | NVMQ_STATUS_DNR)
#define COMID		0x07feu
#define HEADER		56u

static struct exec e;

static uint8_t *data(void)
{
	return e.ram + EXEC_DATA;
}

static void start(bool opal)
{
	struct options opt;

	exec_options(&opt);
	opt.oacs |= NVMQ_OACS_SECURITY;
	opt.opal = opal;
	exec_start(&e, &opt);
}

static int receive(uint32_t protocol, uint32_t specific, uint32_t len)
{
	memset(data(), 0xff, len);
	return exec_admin(&e, NVMQ_ADMIN_SECURITY_RECEIVE, 0, protocol << 24 | specific << 8, len,
			  len);
}

/* Tokens, in a packet. */
static int send(const void *tokens, size_t len)
{
	memset(data(), 0, HEADER);
	data()[52 + 2] = (uint8_t)(len >> 8);
	data()[52 + 3] = (uint8_t)len;
	memcpy(data() + HEADER, tokens, len);
	return exec_admin(&e, NVMQ_ADMIN_SECURITY_SEND, 0, 1u << 24 | COMID << 8,
			  (uint32_t)(HEADER + len), (uint32_t)(HEADER + len));
}

static void test_protocols(void)
{
	start(false);
	CHECK(!receive(0, 0, 512) && data()[7] == 1 && !data()[8], "the list, without Opal");
	CHECK(receive(1, 1, 512) == DNR(NVMQ_SC_INVALID_FIELD), "discovery without Opal");
	CHECK(send("\xfa", 1) == DNR(NVMQ_SC_INVALID_FIELD), "a packet without Opal");
	exec_stop(&e);
	start(true);
	CHECK(!receive(0, 0, 512) && data()[7] == 2 && !data()[8] && data()[9] == 1, "the list");
	CHECK(receive(0, 1, 512) == DNR(NVMQ_SC_INVALID_FIELD), "another list");
	CHECK(receive(2, COMID, 512) == DNR(NVMQ_SC_INVALID_FIELD), "another protocol");
	CHECK(receive(1, COMID + 1, 512) == DNR(NVMQ_SC_INVALID_FIELD), "another ComID");
	CHECK(!receive(1, 1, 512) && data()[3] == 48 + 16 + 16 + 20 - 4, "discovery");
	CHECK(!receive(1, 1, 16) && data()[3] == 48 + 16 + 16 + 20 - 4, "its first bytes");
	CHECK(!receive(1, COMID, 512) && !data()[19], "no answer, of no bytes");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* What it answered: the status of the method, the last token but three. */
static int method_status(void)
{
	size_t len;

	CHECK(!receive(1, COMID, 512), "the answer");
	len = (size_t)data()[54] << 8 | data()[55];
	return len < 5 ? -1 : data()[HEADER + len - 4];
}

static void test_session(void)
{
	/* Session manager, StartSession, of the Admin SP by anybody */
	static const uint8_t begin[] = {
		0xf8, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xa8, 0, 0, 0, 0, 0, 0, 0xff, 0x02,
		0xf0, 0x01, 0xa8, 0, 0, 2, 5, 0, 0, 0, 1, 0x01, 0xf1, 0xf9, 0xf0, 0, 0, 0, 0xf1,
	};
	/* Its SID's password is set, by nobody who may. */
	static const uint8_t set[] = {
		0xf8, 0xa8, 0, 0, 0, 0x0b, 0, 0, 0, 1, 0xa8, 0, 0, 0, 6, 0, 0, 0, 0x17,
		0xf0, 0xf2, 1, 0xf0, 0xf2, 3, 0xa1, 'x', 0xf3, 0xf1, 0xf3, 0xf1,
		0xf9, 0xf0, 0, 0, 0, 0xf1,
	};

	start(true);
	CHECK(!send(set, sizeof(set)) && method_status() == 1, "without a session");
	CHECK(!send(begin, sizeof(begin)) && !method_status(), "a session");
	CHECK(!send(begin, sizeof(begin)) && method_status() == 3, "one at a time");
	CHECK(!send(set, sizeof(set)) && method_status() == 1, "who is nobody sets no password");
	CHECK(!e.ctrl->tcg.owned, "and has not");
	CHECK(!send("\xfa", 1) && !receive(1, COMID, 512) && data()[HEADER] == 0xfa, "its end");
	CHECK(!e.ctrl->tcg.session, "it has ended");
	CHECK(!send(begin, sizeof(begin)) && !method_status(), "another one");
	opal_reset(&e.ctrl->tcg);
	CHECK(!send(begin, sizeof(begin)) && !method_status(), "a reset has ended that");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

static void test_ranges(void)
{
	struct opal_range *range;

	start(true);
	range = e.ctrl->tcg.range;
	range[1] = (struct opal_range){ .start = 100, .blocks = 10, .read_enabled = true };
	range[2] = (struct opal_range){ .start = 110, .blocks = 10, .write_enabled = true };
	CHECK(!opal_check(e.ctrl, 0, 1000, false) && !opal_check(e.ctrl, 0, 1000, true), "open");
	opal_power_cut(&e.ctrl->tcg);
	CHECK(range[1].read_locked && !range[1].write_locked && range[2].write_locked, "locked");
	CHECK(!opal_check(e.ctrl, 0, 100, false) && opal_check(e.ctrl, 99, 2, false) &&
	      opal_check(e.ctrl, 109, 1, false) && !opal_check(e.ctrl, 110, 1, false), "reads");
	CHECK(!opal_check(e.ctrl, 109, 1, true) && opal_check(e.ctrl, 119, 1, true) &&
	      !opal_check(e.ctrl, 120, 1, true), "writes");
	range[0].read_enabled = true;
	range[0].read_locked = true;
	CHECK(opal_check(e.ctrl, 0, 1, false) && opal_check(e.ctrl, 119, 2, false) &&
	      !opal_check(e.ctrl, 110, 10, false), "the global range is the rest");
	exec_stop(&e);
}

static void test_rubbish(void)
{
	uint8_t tokens[200];
	unsigned int i, n;

	start(true);
	srandom(1);
	for (n = 0; n < 20000; n++) {
		size_t len = (size_t)random() % sizeof(tokens);
		static const uint8_t likely[] = {
			0xf8, 0xa8, 0xf0, 0xf1, 0xf2, 0xf3, 0xd0, 0xbf, 0xdf, 0xe0, 0xff, 0, 1, 3,
			0x88,
		};

		for (i = 0; i < len; i++)
			tokens[i] = random() % 4 ? likely[(size_t)random() % sizeof(likely)] :
						   (uint8_t)random();
		send(tokens, len);
		if (n % 8 == 0)
			receive(1, COMID, 64);
	}
	/* A length that is a lie */
	memset(data(), 0xff, HEADER);
	CHECK(exec_admin(&e, NVMQ_ADMIN_SECURITY_SEND, 0, 1u << 24 | COMID << 8, HEADER, HEADER) ==
	      DNR(NVMQ_SC_INVALID_FIELD), "more tokens than bytes");
	CHECK(!e.ctrl->tcg.owned && !e.ctrl->tcg.active, "nobody owns it for that");
	exec_stop(&e);
}

int main(void)
{
	TAP_RUN(test_protocols);
	TAP_RUN(test_session);
	TAP_RUN(test_ranges);
	TAP_RUN(test_rubbish);
	return tap_done();
}
