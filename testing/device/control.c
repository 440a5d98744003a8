// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

#define LINE_BYTES	4096
/* No more lines are read from a client that has so much to read itself. */
#define OUT_BYTES	65536

struct client {
	int fd;			/* -1: nobody */
	bool eof;		/* says nothing more, but may still listen */
	bool skip;		/* in the middle of a line that was too long */
	size_t in_len;
	char in[LINE_BYTES];
	char *out;
	size_t out_len;
	size_t out_sent;
	size_t out_room;
};

struct control {
	int fd;
	struct sockaddr_un address;
	struct script *script;
	struct clock *clock;
	struct judge *judge;
	struct control_ops ops;
	void *ctx;
	bool quit;
	struct client client[CONTROL_CLIENTS];
};

/* ---------------------------------------------------------------- commands */

/*
 * A command writes its answer to @out and returns 0; or it writes what is wrong to @error and
 * returns an error.
 */
typedef int command_fn(struct control *control, char *args, FILE *out, char *error, size_t size);

static command_fn do_help;

__attribute__((format(printf, 3, 4)))
static int wrong(char *error, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int no_args(const char *args, char *error, size_t size)
{
	return *args ? wrong(error, size, "expected nothing more, found '%.40s'", args) : 0;
}

/* The first word of @args, which becomes what is behind it. */
static char *first_word(char **args)
{
	char *word = *args + strspn(*args, " \t"), *end = word + strcspn(word, " \t");

	*args = end + strspn(end, " \t");
	*end = 0;
	return word;
}

static int do_lie(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	unsigned int before = script_nr(control->script);
	int err = script_add(control->script, "lie", args, error, size);

	if (!err)
		fprintf(out, "added %u\n", script_nr(control->script) - before);
	return err;
}

/* An action as a line that is due at once: the device's loop finds it. */
static int do_action(struct control *control, const char *front, const char *args, char *error,
		     size_t size)
{
	char line[LINE_BYTES + 64];

	snprintf(line, sizeof(line), "when now then %s%s", front, args);
	return script_add(control->script, "lie", line, error, size);
}

static int do_now(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	(void)out;
	return do_action(control, "", args, error, size);
}

static int do_event(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	(void)out;
	const char *front = *args >= '0' && *args <= '9' ? "event flood " : "event flood 1 ";

	return do_action(control, front, args, error, size);
}

static int do_namespace(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	(void)out;
	return do_action(control, "namespace ", args, error, size);
}

static int do_lies(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);

	if (!err)
		script_print(control->script, out, true);
	return err;
}

static int do_unlie(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	unsigned long line;
	char *end;

	(void)out;
	if (!strcasecmp(args, "all"))
		return script_remove(control->script, 0);
	errno = 0;
	line = strtoul(args, &end, 10);
	if (*args < '0' || *args > '9' || *end || errno || !line || line > 0xffffffff)
		return wrong(error, size, "expected all, or a line's number as in 'lies'");
	if (script_remove(control->script, line))
		return wrong(error, size, "there is no line %lu", line);
	return 0;
}

static int do_script(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	unsigned int before = script_nr(control->script);
	int err;

	if (!*args)
		return wrong(error, size, "expected a file");
	err = script_load(control->script, args, error, size);
	if (!err)
		fprintf(out, "added %u\n", script_nr(control->script) - before);
	return err;
}

static int do_rewind(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);

	(void)out;
	if (!err) {
		script_rewind(control->script);
		clock_rewind(control->clock);
	}
	return err;
}

static int do_clock(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	if (*args)
		return clock_set(control->clock, args, error, size);
	clock_print(control->clock, out);
	fputc('\n', out);
	return 0;
}

static int do_trace(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	char *word = first_word(&args);
	int err;

	(void)out;
	if (!strcasecmp(word, "on") && *args) {
		err = clock_trace_on(control->clock, args);
	} else if (!strcasecmp(word, "off") && !*args) {
		err = clock_trace_off(control->clock);
	} else if (!strcasecmp(word, "flush") && !*args) {
		clock_trace_flush(control->clock);
		return 0;
	} else {
		return wrong(error, size, "expected on FILE, off or flush");
	}
	if (err)
		snprintf(error, size, "%s", strerror(-err));
	return err;
}

static int do_stats(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);
	unsigned int kind;

	if (err)
		return err;
	if (control->ops.stats)
		control->ops.stats(control->ctx, out);
	if (control->judge)
		fprintf(out, "violations %lu\n", judge_total(control->judge));
	for (kind = 0; kind < NR_LIE_KINDS; kind++) {
		unsigned long told = script_told(control->script, kind);
		const char *c;

		if (!told)
			continue;
		/* One word each, whatever the language has. */
		fputs("lie-", out);
		for (c = lie_kind_name(kind); *c; c++)
			fputc(*c == ' ' ? '-' : *c, out);
		fprintf(out, " %lu\n", told);
	}
	return 0;
}

static int do_violations(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);
	unsigned int rule;

	if (err)
		return err;
	if (!control->judge)
		return wrong(error, size, "there is no judge");
	for (rule = 0; rule < NR_RULES; rule++) {
		unsigned long count = judge_count(control->judge, rule);
		const struct judge_rule *about = judge_rule(rule);

		if (count)
			fprintf(out, "%s %lu (%s) %s\n", about->id, count, about->section,
				about->sentence);
	}
	return 0;
}

static int do_rules(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);
	unsigned int rule;

	(void)control;
	for (rule = 0; !err && rule < NR_RULES; rule++)
		fprintf(out, "%s (%s) %s\n", judge_rule(rule)->id, judge_rule(rule)->section,
			judge_rule(rule)->sentence);
	return err;
}

static int do_clear(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);

	(void)out;
	if (err)
		return err;
	if (control->judge)
		judge_clear(control->judge);
	if (control->ops.clear_stats)
		control->ops.clear_stats(control->ctx);
	return 0;
}

static int arm(struct control *control, bool armed, char *args, char *error, size_t size)
{
	int err = no_args(args, error, size);

	if (err)
		return err;
	if (!control->judge)
		return wrong(error, size, "there is no judge");
	judge_arm(control->judge, armed);
	return 0;
}

static int do_arm(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	(void)out;
	return arm(control, true, args, error, size);
}

static int do_disarm(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	(void)out;
	return arm(control, false, args, error, size);
}

static int do_quit(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);

	(void)out;
	if (!err)
		control->quit = true;
	return err;
}

static const struct command {
	const char *name;
	const char *args;
	const char *help;
	command_fn *fn;
} commands[] = {
	{ "help", "", "this list", do_help },
	{ "lie", " LINE", "add a line of lies: when CONDITIONS then ACTION", do_lie },
	{ "now", " ACTION", "tell a lie at once: gone, cfs, spurious-interrupt ...", do_now },
	{ "lies", "", "list the lines, with number and counts", do_lies },
	{ "unlie", " N|all", "forget a line", do_unlie },
	{ "script", " FILE", "add the lines of a file", do_script },
	{ "rewind", "", "counts of lies and luck of the clock begin again", do_rewind },
	{ "event", " [N] [type N] [info N] [log N]", "asynchronous events", do_event },
	{ "namespace", " N gone|new BLOCKS|resized BLOCKS", "change a namespace", do_namespace },
	{ "clock", " [MODEL]", "show or change the delays", do_clock },
	{ "trace", " on FILE|off|flush", "write down when each command did what", do_trace },
	{ "stats", "", "counts of everything", do_stats },
	{ "violations", "", "rules that were broken, and how often", do_violations },
	{ "rules", "", "all rules", do_rules },
	{ "clear", "", "forget violations and counts", do_clear },
	{ "arm", "", "the judge judges", do_arm },
	{ "disarm", "", "the judge looks away", do_disarm },
	{ "quit", "", "end the device", do_quit },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static int do_help(struct control *control, char *args, FILE *out, char *error, size_t size)
{
	int err = no_args(args, error, size);
	const struct control_command *more = control->ops.commands;
	size_t i;

	if (err)
		return err;
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "%s%s: %s\n", commands[i].name, commands[i].args, commands[i].help);
	for (; more && more->name; more++)
		fprintf(out, "%s%s: %s\n", more->name, more->args, more->help);
	return 0;
}

/* ----------------------------------------------------------------- answers */

static void client_close(struct client *client)
{
	if (client->fd < 0)
		return;
	close(client->fd);
	free(client->out);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

static void client_say(struct client *client, const char *text, size_t len)
{
	if (client->fd < 0)
		return;
	if (client->out_room - client->out_len < len) {
		size_t room = 2 * client->out_room + len + 256;
		char *out = realloc(client->out, room);

		if (!out) {
			client_close(client);
			return;
		}
		client->out = out;
		client->out_room = room;
	}
	memcpy(client->out + client->out_len, text, len);
	client->out_len += len;
}

/* What a command wrote, each line with a blank in front; no line can be taken for the last. */
static void client_say_lines(struct client *client, const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		client_say(client, " ", 1);
		client_say(client, text, line);
		client_say(client, "\n", 1);
		line += !!end;
		text += line;
		len -= line;
	}
}

static void client_error(struct client *client, const char *error)
{
	client_say(client, "error: ", 7);
	client_say(client, error, strlen(error));
	client_say(client, "\n", 1);
}

/* Carry out a command, the device's own ones last. */
static int call(struct control *control, const char *name, char *args, FILE *out, char *error,
		size_t size)
{
	const struct control_command *more = control->ops.commands;
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcasecmp(commands[i].name, name))
			return commands[i].fn(control, args, out, error, size);
	for (; more && more->name; more++)
		if (!strcasecmp(more->name, name))
			return more->fn(control->ctx, args, out, error, size);
	return wrong(error, size, "expected a command, 'help' lists them, found '%.40s'", name);
}

static void client_line(struct control *control, struct client *client, char *line)
{
	char error[512] = "it failed", *answer = NULL, *args = line, *name;
	size_t len = strlen(line), size = 0, i;
	FILE *out;
	int err;

	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = 0;
	for (i = 0; i < len; i++)
		if (line[i] != '\t' && (line[i] < ' ' || line[i] > '~')) {
			client_error(client, "expected text, found another byte");
			return;
		}
	name = first_word(&args);
	if (!*name || *name == '#')
		return;
	out = open_memstream(&answer, &size);
	if (!out) {
		client_error(client, "out of memory");
		return;
	}
	err = call(control, name, args, out, error, sizeof(error));
	if (fclose(out)) {
		client_error(client, "out of memory");
	} else if (err) {
		client_error(client, error);
	} else {
		client_say_lines(client, answer, size);
		client_say(client, "ok\n", 3);
	}
	free(answer);
}

/* ----------------------------------------------------------------- sockets */

static void client_send(struct client *client)
{
	while (client->fd >= 0 && client->out_sent < client->out_len) {
		ssize_t n = send(client->fd, client->out + client->out_sent,
				 client->out_len - client->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			client->out_sent += n;
		} else if (errno != EINTR) {
			if (errno != EAGAIN)
				client_close(client);
			return;
		}
	}
	client->out_len = 0;
	client->out_sent = 0;
}

/* Carry out what lines there are, as long as the client reads the answers. */
static void client_lines(struct control *control, struct client *client)
{
	while (client->fd >= 0 && client->out_len < OUT_BYTES && !control->quit) {
		char *end = memchr(client->in, '\n', client->in_len);
		size_t len, used;

		if (!end && client->eof && client->in_len && client->in_len < LINE_BYTES) {
			/* The last line may lack its end. */
			client->in[client->in_len++] = '\n';
			continue;
		}
		if (!end && client->in_len < LINE_BYTES)
			return;
		len = end ? (size_t)(end - client->in) : client->in_len;
		used = len + !!end;
		if (client->skip) {
			client->skip = !end;
		} else if (!end) {
			client->skip = true;
			client_error(client, "expected a shorter line");
		} else if (memchr(client->in, 0, len)) {
			client_error(client, "expected text, found a byte of 0");
		} else {
			client->in[len] = 0;
			client_line(control, client, client->in);
		}
		if (client->fd < 0)
			return;
		memmove(client->in, client->in + used, client->in_len - used);
		client->in_len -= used;
	}
}

static void client_receive(struct client *client)
{
	ssize_t n;

	if (client->fd < 0 || client->eof || client->in_len == LINE_BYTES)
		return;
	n = recv(client->fd, client->in + client->in_len, LINE_BYTES - client->in_len,
		 MSG_DONTWAIT);
	if (n > 0)
		client->in_len += n;
	else if (!n)
		client->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		client_close(client);
}

static void control_accept(struct control *control)
{
	static const char full[] = "error: too many clients\n";
	unsigned int i;
	ssize_t n;
	int fd;

	while ((fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		for (i = 0; i < CONTROL_CLIENTS; i++)
			if (control->client[i].fd < 0)
				break;
		if (i < CONTROL_CLIENTS) {
			control->client[i].fd = fd;
			continue;
		}
		/* If that cannot be sent, it is not told. */
		n = send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)n;
		close(fd);
	}
}

/* A socket that a device left behind, and that nobody listens on, is in the way. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, err;

	if (lstat(address->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
	close(fd);
	if (err != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(address->sun_path) ? -errno : 0;
}

int control_listen(const char *path, struct script *script, struct clock *clock,
		   struct judge *judge, const struct control_ops *ops, void *ctx,
		   struct control **to)
{
	struct control *control = calloc(1, sizeof(*control));
	unsigned int i;
	int err;

	if (!control)
		return -ENOMEM;
	control->script = script;
	control->clock = clock;
	control->judge = judge;
	if (ops)
		control->ops = *ops;
	control->ctx = ctx;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		control->client[i].fd = -1;
	control->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(control->address.sun_path)) {
		err = -ENAMETOOLONG;
		goto free_control;
	}
	memcpy(control->address.sun_path, path, strlen(path) + 1);
	err = remove_stale(&control->address);
	if (err)
		goto free_control;
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0) {
		err = -errno;
		goto free_control;
	}
	if (bind(control->fd, (struct sockaddr *)&control->address, sizeof(control->address))) {
		err = -errno;
		goto close_fd;
	}
	if (listen(control->fd, 16)) {
		err = -errno;
		goto remove_socket;
	}
	*to = control;
	return 0;

remove_socket:
	unlink(path);
close_fd:
	close(control->fd);
free_control:
	free(control);
	return err;
}

void control_close(struct control *control)
{
	unsigned int i;

	if (!control)
		return;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		client_close(&control->client[i]);
	close(control->fd);
	unlink(control->address.sun_path);
	free(control);
}

unsigned int control_fds(struct control *control, struct pollfd *fds)
{
	unsigned int i, nr = 0;

	if (!control)
		return 0;
	fds[nr++] = (struct pollfd){ .fd = control->fd, .events = POLLIN };
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *client = &control->client[i];

		if (client->fd < 0)
			continue;
		fds[nr].fd = client->fd;
		fds[nr].events = client->out_len ? POLLOUT : client->eof ? 0 : POLLIN;
		fds[nr++].revents = 0;
	}
	return nr;
}

bool control_process(struct control *control)
{
	unsigned int i;
	size_t before;

	if (!control)
		return true;
	control_accept(control);
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->client[i];

		client_send(client);
		client_receive(client);
		/* Lines that are left now have no poll() to wake us, unless the answers wait. */
		do {
			before = client->in_len;
			client_lines(control, client);
			client_send(client);
		} while (client->in_len != before && !client->out_len);
		if (client->eof && !client->in_len && !client->out_len)
			client_close(client);
	}
	return !control->quit;
}
