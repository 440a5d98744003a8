// SPDX-License-Identifier: GPL-2.0
#include "opal.h"

#include <string.h>

#include "cmd.h"
#include "ctrl.h"

/* cdw10 of both commands */
#define SECP(dw10)	((dw10) >> 24)
#define SPSP(dw10)	((dw10) >> 8 & 0xffff)

#define PROTOCOL_LIST	0x00
#define PROTOCOL_TCG	0x01

#define COMID_DISCOVERY	0x0001
#define COMID		0x07fe

/* Storage Core 3.2.2: tokens */
#define TOKEN_START_LIST	0xf0
#define TOKEN_END_LIST		0xf1
#define TOKEN_START_NAME	0xf2
#define TOKEN_END_NAME		0xf3
#define TOKEN_CALL		0xf8
#define TOKEN_END_OF_DATA	0xf9
#define TOKEN_END_OF_SESSION	0xfa
#define TOKEN_EMPTY		0xff

/* Storage Core 5.1.5: status of a method */
#define METHOD_OK		0x00
#define METHOD_NOT_AUTHORIZED	0x01
#define METHOD_SP_BUSY		0x03
#define METHOD_INVALID		0x0c
#define METHOD_FAIL		0x3f

/* UIDs */
#define SESSION_MANAGER		0xffull
#define ADMIN_SP		0x0000020500000001ull
#define LOCKING_SP		0x0000020500000002ull
#define SID			0x0000000900000006ull
#define ADMIN1			0x0000000900010001ull
#define PIN_SID			0x0000000b00000001ull
#define PIN_ADMIN1		0x0000000b00010001ull
#define PIN_MSID		0x0000000b00008402ull
#define RANGE_GLOBAL		0x0000080200000001ull
#define RANGE_FIRST		0x0000080200030001ull

#define START_SESSION		0xff02ull
#define SYNC_SESSION		0xff03ull
#define REVERT			0x0000000600000202ull
#define ACTIVATE		0x0000000600000203ull
#define GET			0x0000000600000016ull
#define SET			0x0000000600000017ull

/* Columns */
#define COLUMN_PIN		3
#define COLUMN_LIFE_CYCLE	6
#define COLUMN_START		3
#define COLUMN_LENGTH		4
#define COLUMN_READ_ENABLED	5
#define COLUMN_WRITE_ENABLED	6
#define COLUMN_READ_LOCKED	7
#define COLUMN_WRITE_LOCKED	8

#define LIFE_INACTIVE		8
#define LIFE_MANUFACTURED	9

/* Bytes of ComPacket, packet and subpacket before the first token, and where their lengths are */
#define HEADER			56
#define AT_COM_LEN		16
#define AT_PACKET_LEN		40
#define AT_SUB_LEN		52
#define AT_SESSION		20

static const struct opal_pin msid = { 8, "as it is" };

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

static void put_be(uint8_t *at, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		at[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get_be(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

/* ---- tokens ---- */

enum kind {
	NOTHING,
	NUMBER,
	BYTES,
	CONTROL,
};

struct token {
	enum kind kind;
	uint64_t value;
	const uint8_t *bytes;
	size_t len;
};

struct reader {
	const uint8_t *at;
	size_t left;
};

/* The next token; NOTHING at the end, and for what is none. */
static struct token next(struct reader *in)
{
	struct token token = { .kind = NOTHING };
	size_t head = 1, len;
	bool bytes;
	uint8_t c;

	while (in->left && *in->at == TOKEN_EMPTY) {
		in->at++;
		in->left--;
	}
	if (!in->left)
		return token;
	c = *in->at;
	if (c < 0x80) {
		/* Tiny: of six bits; signed ones nobody needs here. */
		token = (struct token){ .kind = NUMBER, .value = c & 0x3f };
		len = 0;
	} else if (c >= 0xf0) {
		token = (struct token){ .kind = CONTROL, .value = c };
		len = 0;
	} else {
		if (c < 0xc0) {
			bytes = c & 0x20;
			len = c & 0x0f;
		} else if (c < 0xe0 && in->left >= 2) {
			head = 2;
			bytes = c & 0x10;
			len = (c & 0x7) << 8 | in->at[1];
		} else {
			in->left = 0;
			return token;
		}
		if (len > in->left - head || (!bytes && len > 8)) {
			in->left = 0;
			return token;
		}
		token.kind = bytes ? BYTES : NUMBER;
		token.bytes = in->at + head;
		token.len = len;
		token.value = bytes && len != 8 ? 0 : get_be(token.bytes, len);
	}
	in->at += head + len;
	in->left -= head + len;
	return token;
}

static bool is(const struct token *token, uint8_t control)
{
	return token->kind == CONTROL && token->value == control;
}

static bool expect(struct reader *in, uint8_t control)
{
	struct token token = next(in);

	return is(&token, control);
}

/* A name and its value; not so at the end of the list. */
static bool next_name(struct reader *in, uint64_t *name, struct token *value)
{
	struct token token = next(in);

	if (!is(&token, TOKEN_START_NAME))
		return false;
	token = next(in);
	if (token.kind != NUMBER)
		return false;
	*name = token.value;
	*value = next(in);
	return true;
}

static void add(struct opal *opal, uint8_t byte)
{
	/* The longest answer has about 120 bytes. */
	if (opal->len < sizeof(opal->answer))
		opal->answer[opal->len++] = byte;
}

static void add_number(struct opal *opal, uint64_t value)
{
	int i;

	if (value < 0x40) {
		add(opal, (uint8_t)value);
		return;
	}
	add(opal, 0x88);
	for (i = 56; i >= 0; i -= 8)
		add(opal, (uint8_t)(value >> i));
}

static void add_bytes(struct opal *opal, const uint8_t *bytes, size_t len)
{
	/* Medium atoms hold any length that there is. */
	add(opal, (uint8_t)(0xd0 | len >> 8));
	add(opal, (uint8_t)len);
	while (len--)
		add(opal, *bytes++);
}

static void add_uid(struct opal *opal, uint64_t uid)
{
	uint8_t bytes[8];

	put_be(bytes, uid, 8);
	add_bytes(opal, bytes, 8);
}

static void add_column(struct opal *opal, uint64_t column, uint64_t value)
{
	add(opal, TOKEN_START_NAME);
	add_number(opal, column);
	add_number(opal, value);
	add(opal, TOKEN_END_NAME);
}

/* ---- methods ---- */

static bool same_pin(const struct opal_pin *pin, const struct token *challenge)
{
	return challenge->kind == BYTES && challenge->len == pin->len &&
	       !memcmp(challenge->bytes, pin->text, pin->len);
}

static int start_session(struct opal *opal, struct reader *in, uint64_t *host)
{
	struct token number = next(in), sp = next(in), write = next(in), value;
	struct token challenge = { .kind = NOTHING };
	const struct opal_pin *pin = NULL;
	uint64_t name, authority = 0;

	if (number.kind != NUMBER || sp.kind != BYTES || write.kind != NUMBER)
		return METHOD_INVALID;
	while (next_name(in, &name, &value)) {
		if (name == 0)
			challenge = value;
		else if (name == 3)
			authority = value.value;
		if (!expect(in, TOKEN_END_NAME))
			return METHOD_INVALID;
	}
	if (opal->session)
		return METHOD_SP_BUSY;
	if (sp.value != ADMIN_SP && (sp.value != LOCKING_SP || !opal->active))
		return METHOD_INVALID;
	if (authority == SID && sp.value == ADMIN_SP)
		pin = opal->owned ? &opal->sid : &msid;
	else if (authority == ADMIN1 && sp.value == LOCKING_SP)
		pin = &opal->admin1;
	else if (authority)
		return METHOD_INVALID;
	if (pin && !same_pin(pin, &challenge))
		return METHOD_NOT_AUTHORIZED;
	*host = number.value;
	opal->session = 0x1000;
	opal->sp = sp.value;
	opal->authority = authority;
	return METHOD_OK;
}

static struct opal_range *range_of(struct opal *opal, uint64_t uid)
{
	if (opal->sp != LOCKING_SP)
		return NULL;
	if (uid == RANGE_GLOBAL)
		return &opal->range[0];
	if (uid < RANGE_FIRST || uid - RANGE_FIRST >= OPAL_RANGES - 1)
		return NULL;
	return &opal->range[1 + uid - RANGE_FIRST];
}

static int get(struct opal *opal, uint64_t uid, struct reader *in)
{
	struct opal_range *range = range_of(opal, uid);
	uint64_t name, first = 0, last = 0, column;
	struct token value;

	if (!expect(in, TOKEN_START_LIST))
		return METHOD_INVALID;
	while (next_name(in, &name, &value)) {
		if (name == 3)
			first = value.value;
		else if (name == 4)
			last = value.value;
		if (!expect(in, TOKEN_END_NAME))
			return METHOD_INVALID;
	}
	if (range ? opal->authority != ADMIN1 :
	    opal->sp != ADMIN_SP || (uid != PIN_MSID && uid != LOCKING_SP))
		return METHOD_NOT_AUTHORIZED;
	add(opal, TOKEN_START_LIST);
	for (column = first; column <= last && column <= COLUMN_WRITE_LOCKED; column++) {
		if (range && column >= COLUMN_START) {
			const uint64_t columns[] = {
				range->start, range->blocks, range->read_enabled,
				range->write_enabled, range->read_locked, range->write_locked,
			};

			add_column(opal, column, columns[column - COLUMN_START]);
		} else if (uid == PIN_MSID && column == COLUMN_PIN) {
			add(opal, TOKEN_START_NAME);
			add_number(opal, column);
			add_bytes(opal, msid.text, msid.len);
			add(opal, TOKEN_END_NAME);
		} else if (uid == LOCKING_SP && column == COLUMN_LIFE_CYCLE) {
			add_column(opal, column, opal->active ? LIFE_MANUFACTURED : LIFE_INACTIVE);
		}
	}
	add(opal, TOKEN_END_LIST);
	return METHOD_OK;
}

static int set_pin(struct opal *opal, struct opal_pin *pin, const struct token *value)
{
	if (value->kind != BYTES || value->len > OPAL_PIN)
		return METHOD_INVALID;
	pin->len = value->len;
	memcpy(pin->text, value->bytes, value->len);
	if (pin == &opal->sid)
		opal->owned = true;
	return METHOD_OK;
}

static int set_range(struct opal *opal, struct opal_range *range, uint64_t column, uint64_t value)
{
	if (range == &opal->range[0] && column <= COLUMN_LENGTH)
		return METHOD_INVALID;
	switch (column) {
	case COLUMN_START:
		range->start = value;
		return METHOD_OK;
	case COLUMN_LENGTH:
		range->blocks = value;
		return METHOD_OK;
	case COLUMN_READ_ENABLED:
		range->read_enabled = value;
		return METHOD_OK;
	case COLUMN_WRITE_ENABLED:
		range->write_enabled = value;
		return METHOD_OK;
	case COLUMN_READ_LOCKED:
		range->read_locked = value;
		return METHOD_OK;
	case COLUMN_WRITE_LOCKED:
		range->write_locked = value;
		return METHOD_OK;
	default:
		return METHOD_INVALID;
	}
}

static int set(struct opal *opal, uint64_t uid, struct reader *in)
{
	struct opal_range *range = range_of(opal, uid);
	struct opal_pin *pin = NULL;
	struct token value;
	int status;
	uint64_t name;

	if (opal->authority == SID && uid == PIN_SID)
		pin = &opal->sid;
	else if (opal->authority == ADMIN1 && uid == PIN_ADMIN1)
		pin = &opal->admin1;
	else if (!range || opal->authority != ADMIN1)
		return METHOD_NOT_AUTHORIZED;
	/* Values = [ column = value, ... ] */
	if (!next_name(in, &name, &value) || name != 1 || !is(&value, TOKEN_START_LIST))
		return METHOD_INVALID;
	while (next_name(in, &name, &value)) {
		if (!pin)
			status = value.kind == NUMBER ?
				 set_range(opal, range, name, value.value) : METHOD_INVALID;
		else
			status = name == COLUMN_PIN ? set_pin(opal, pin, &value) : METHOD_INVALID;
		if (status)
			return status;
		if (!expect(in, TOKEN_END_NAME))
			return METHOD_INVALID;
	}
	return METHOD_OK;
}

static int activate(struct opal *opal, uint64_t uid)
{
	if (uid != LOCKING_SP || opal->authority != SID)
		return METHOD_NOT_AUTHORIZED;
	if (!opal->active)
		opal->admin1 = opal->owned ? opal->sid : msid;
	opal->active = true;
	return METHOD_OK;
}

/* Everything is as it was made; the session ends with its answer. */
static int revert(struct opal *opal, uint64_t uid)
{
	if (uid != ADMIN_SP || opal->authority != SID)
		return METHOD_NOT_AUTHORIZED;
	opal->owned = false;
	opal->active = false;
	memset(opal->range, 0, sizeof(opal->range));
	opal->session = 0;
	return METHOD_OK;
}

static void call(struct opal *opal, struct reader *in)
{
	struct token uid = next(in), method = next(in);
	size_t begun = opal->len;
	uint64_t host = 0;
	int status;

	if (uid.kind != BYTES || method.kind != BYTES || !expect(in, TOKEN_START_LIST)) {
		status = METHOD_INVALID;
	} else if (uid.value == SESSION_MANAGER && method.value == START_SESSION) {
		status = start_session(opal, in, &host);
		add(opal, TOKEN_CALL);
		add_uid(opal, SESSION_MANAGER);
		add_uid(opal, SYNC_SESSION);
		begun = opal->len;
		add(opal, TOKEN_START_LIST);
		if (!status) {
			add_number(opal, host);
			add_number(opal, opal->session);
		}
		add(opal, TOKEN_END_LIST);
	} else if (!opal->session) {
		status = METHOD_NOT_AUTHORIZED;
	} else {
		add(opal, TOKEN_START_LIST);
		switch (method.value) {
		case GET:
			status = get(opal, uid.value, in);
			break;
		case SET:
			status = set(opal, uid.value, in);
			break;
		case ACTIVATE:
			status = activate(opal, uid.value);
			break;
		case REVERT:
			status = revert(opal, uid.value);
			break;
		default:
			status = METHOD_FAIL;
			break;
		}
		add(opal, TOKEN_END_LIST);
	}
	if (status) {
		opal->len = begun;
		add(opal, TOKEN_START_LIST);
		add(opal, TOKEN_END_LIST);
	}
	add(opal, TOKEN_END_OF_DATA);
	add(opal, TOKEN_START_LIST);
	add_number(opal, (uint64_t)status);
	add_number(opal, 0);
	add_number(opal, 0);
	add(opal, TOKEN_END_LIST);
}

/* ---- commands ---- */

/* Puts the three headers before what was added behind them. */
static void wrap(struct opal *opal, const uint8_t *sessions)
{
	size_t len = opal->len - HEADER;

	memset(opal->answer, 0, HEADER);
	put_be(opal->answer + 4, COMID, 2);
	memcpy(opal->answer + AT_SESSION, sessions, 8);
	put_be(opal->answer + AT_SUB_LEN, len, 4);
	while (opal->len % 4)
		add(opal, 0);
	put_be(opal->answer + AT_PACKET_LEN, opal->len - AT_PACKET_LEN - 4, 4);
	put_be(opal->answer + AT_COM_LEN, opal->len - AT_COM_LEN - 4, 4);
}

int opal_send(struct cmd *cmd)
{
	struct opal *opal = &cmd->ctrl->tcg;
	uint32_t dw10 = cmd_dw10(cmd), len = cmd_dw11(cmd);
	uint8_t data[2048];
	struct reader in;
	struct token token;
	int status;

	if (!cmd->ctrl->opt.opal || SECP(dw10) != PROTOCOL_TCG || SPSP(dw10) != COMID)
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (len < HEADER || len > sizeof(data))
		return refuse(NVMQ_SC_INVALID_FIELD);
	status = cmd_from_host(cmd, data, len);
	if (status)
		return status;
	in.at = data + HEADER;
	in.left = get_be(data + AT_SUB_LEN, 4);
	if (in.left > len - HEADER)
		return refuse(NVMQ_SC_INVALID_FIELD);
	opal->len = HEADER;
	token = next(&in);
	if (is(&token, TOKEN_END_OF_SESSION)) {
		opal->session = 0;
		add(opal, TOKEN_END_OF_SESSION);
	} else if (is(&token, TOKEN_CALL)) {
		call(opal, &in);
	} else {
		opal->len = 0;
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
	wrap(opal, data + AT_SESSION);
	return 0;
}

static bool is_locked(const struct opal_range *range, bool write)
{
	return write ? range->write_enabled && range->write_locked :
		       range->read_enabled && range->read_locked;
}

static bool any_locked(const struct opal *opal)
{
	unsigned int i;

	for (i = 0; i < OPAL_RANGES; i++)
		if (is_locked(&opal->range[i], false) || is_locked(&opal->range[i], true))
			return true;
	return false;
}

/* Level 0 Discovery (Opal 3.1.1): TPer, Locking, and Opal 2 */
static size_t discovery(const struct opal *opal, uint8_t *to)
{
	uint8_t *at = to + 48;

	memset(to, 0, 48 + 16 + 16 + 20);
	put_be(to + 4, 1, 4);
	put_be(at, 0x0001, 2);
	at[2] = 0x10;
	at[3] = 12;
	at[4] = 0x11;		/* streaming, sync */
	at += 16;
	put_be(at, 0x0002, 2);
	at[2] = 0x10;
	at[3] = 12;
	at[4] = (uint8_t)(0x09 | opal->active << 1 | any_locked(opal) << 2);
	at += 16;
	put_be(at, 0x0203, 2);
	at[2] = 0x10;
	at[3] = 16;
	put_be(at + 4, COMID, 2);
	put_be(at + 6, 1, 2);
	put_be(at + 9, 1, 2);	/* administrators; no users */
	at += 20;
	put_be(to, (uint64_t)(at - to) - 4, 4);
	return (size_t)(at - to);
}

int opal_receive(struct cmd *cmd)
{
	struct opal *opal = &cmd->ctrl->tcg;
	uint32_t dw10 = cmd_dw10(cmd), len = cmd_dw11(cmd);
	uint8_t data[2048] = { 0 };

	if (!len || len > sizeof(data))
		return refuse(NVMQ_SC_INVALID_FIELD);
	if (SECP(dw10) == PROTOCOL_LIST && SPSP(dw10) == 0) {
		/* How many there are; this list is the first. */
		data[7] = 1;
		if (cmd->ctrl->opt.opal)
			data[8 + data[7]++] = PROTOCOL_TCG;
	} else if (!cmd->ctrl->opt.opal || SECP(dw10) != PROTOCOL_TCG) {
		return refuse(NVMQ_SC_INVALID_FIELD);
	} else if (SPSP(dw10) == COMID_DISCOVERY) {
		discovery(opal, data);
	} else if (SPSP(dw10) == COMID) {
		/* Without an answer this is a ComPacket of no bytes. */
		put_be(data + 4, COMID, 2);
		memcpy(data, opal->answer, opal->len);
		opal->len = 0;
	} else {
		return refuse(NVMQ_SC_INVALID_FIELD);
	}
	return cmd_to_host(cmd, data, len);
}

/* How many of these blocks belong to a range. */
static uint64_t common(const struct opal_range *range, uint64_t slba, uint64_t blocks)
{
	uint64_t end = slba + blocks, range_end = range->start + range->blocks;
	uint64_t from = slba > range->start ? slba : range->start;
	uint64_t to = end < range_end ? end : range_end;

	return from < to ? to - from : 0;
}

int opal_check(const struct ctrl *ctrl, uint64_t slba, uint64_t blocks, bool write)
{
	const struct opal_range *range = ctrl->tcg.range;
	uint64_t covered = 0;
	bool locked = false;
	unsigned int i;

	for (i = 1; i < OPAL_RANGES; i++) {
		uint64_t here = common(&range[i], slba, blocks);

		locked |= here && is_locked(&range[i], write);
		covered += here;
	}
	/* Ranges do not overlap: the global one is what no other has. */
	locked |= covered != blocks && is_locked(&range[0], write);
	return locked ? refuse(NVMQ_SC_ACCESS_DENIED) : 0;
}

void opal_reset(struct opal *opal)
{
	opal->session = 0;
	opal->len = 0;
}

void opal_power_cut(struct opal *opal)
{
	unsigned int i;

	opal_reset(opal);
	for (i = 0; i < OPAL_RANGES; i++) {
		opal->range[i].read_locked = opal->range[i].read_enabled;
		opal->range[i].write_locked = opal->range[i].write_enabled;
	}
}
