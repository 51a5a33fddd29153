/* log.c - see log.h: levels, sinks and the way of a line. */
#include "hotdesk/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base_priv.h"

enum { SUBSYSTEMS_MAX = 32, SUBSYSTEM_SIZE = 32, CALL_ID_MAX = 512 };

struct subsystem {
	char name[SUBSYSTEM_SIZE];
	enum hd_log_level level;
};

/* The mutable statics that log.h speaks of. */
static pthread_rwlock_t config_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct {
	enum hd_log_level level;
	size_t count;
	struct subsystem subsystems[SUBSYSTEMS_MAX];
	hd_log_sink_fn *sink;
	void *sink_arg;
} config = { .level = HD_LOG_INFO };

static struct hd_log_output output = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.journal_fd = -1,
};

static const struct {
	const char *name;
	enum hd_log_level level;
} level_names[] = {
	{ "error", HD_LOG_ERROR }, { "warning", HD_LOG_WARNING }, { "notice", HD_LOG_NOTICE },
	{ "info", HD_LOG_INFO },   { "debug", HD_LOG_DEBUG },
};

void hd_log_set_format(enum hd_log_format format)
{
	(void)pthread_mutex_lock(&output.lock);
	output.format = format;
	output.decided = false;
	(void)pthread_mutex_unlock(&output.lock);
}

void hd_log_set_journal_path(const char *path)
{
	(void)pthread_mutex_lock(&output.lock);
	output.journal_path = path;
	(void)pthread_mutex_unlock(&output.lock);
}

void hd_log_set_sink(hd_log_sink_fn *sink, void *arg)
{
	(void)pthread_rwlock_wrlock(&config_lock);
	config.sink = sink;
	config.sink_arg = arg;
	(void)pthread_rwlock_unlock(&config_lock);
}

void hd_log_set_level(enum hd_log_level level)
{
	(void)pthread_rwlock_wrlock(&config_lock);
	config.level = level;
	(void)pthread_rwlock_unlock(&config_lock);
}

/* Caller holds config_lock. */
static struct subsystem *subsystem_find(const char *name)
{
	for (size_t i = 0; i < config.count; i++)
		if (strcmp(config.subsystems[i].name, name) == 0)
			return &config.subsystems[i];
	return NULL;
}

int hd_log_set_subsystem_level(const char *subsystem, enum hd_log_level level)
{
	struct subsystem *found;
	int err = 0;

	if (!subsystem || !subsystem[0] || strlen(subsystem) >= SUBSYSTEM_SIZE)
		return HD_EINVAL;
	(void)pthread_rwlock_wrlock(&config_lock);
	found = subsystem_find(subsystem);
	if (!found && config.count < SUBSYSTEMS_MAX) {
		found = &config.subsystems[config.count++];
		memcpy(found->name, subsystem, strlen(subsystem) + 1);
	}
	if (found)
		found->level = level;
	else
		err = HD_ELIMIT;
	(void)pthread_rwlock_unlock(&config_lock);
	return err;
}

void hd_log_clear_subsystem_levels(void)
{
	(void)pthread_rwlock_wrlock(&config_lock);
	config.count = 0;
	(void)pthread_rwlock_unlock(&config_lock);
}

bool hd_log_enabled(const char *subsystem, enum hd_log_level level)
{
	const struct subsystem *found;
	enum hd_log_level limit;

	(void)pthread_rwlock_rdlock(&config_lock);
	found = subsystem ? subsystem_find(subsystem) : NULL;
	limit = found ? found->level : config.level;
	(void)pthread_rwlock_unlock(&config_lock);
	return level <= limit;
}

int hd_log_level_parse(enum hd_log_level *levelp, const char *name)
{
	if (!levelp || !name)
		return HD_EPARSE;
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(level_names[i].name, name) == 0) {
			*levelp = level_names[i].level;
			return 0;
		}
	}
	return HD_EPARSE;
}

void hd_log_emit_raw(const struct hd_log_line *line)
{
	hd_log_sink_fn *sink;
	void *arg;

	(void)pthread_rwlock_rdlock(&config_lock);
	sink = config.sink;
	arg = config.sink_arg;
	(void)pthread_rwlock_unlock(&config_lock);
	/* Called without the lock, because a sink may log. */
	if (sink)
		sink(arg, line->level, line->text);
	else
		hd_log_output_write(&output, line);
}

static void append(char *dst, size_t size, size_t *lenp, const char *text)
{
	hd_log_escape(dst, size, lenp, hd_slice_of(text), true);
}

void hd_log_emit(enum hd_log_level level, const char *subsystem, const char *call_id,
		 const char *text)
{
	struct hd_log_line line = { .level = level, .subsystem = subsystem };
	char finished[HD_LOG_LINE_MAX];
	char masked[HD_LOG_RAW_MAX];
	char id[CALL_ID_MAX] = "";
	size_t id_len = 0;
	size_t len = 0;
	size_t n;

	if (call_id && call_id[0]) {
		hd_log_escape(id, sizeof(id), &id_len, hd_slice_of(call_id), false);
		id_len = hd_log_mask(id, id_len);
		id[id_len] = '\0';
		line.call_id = id;
	}
	n = strlen(text);
	if (n >= sizeof(masked))
		n = sizeof(masked) - 1;
	memcpy(masked, text, n);
	n = hd_log_mask(masked, n);

	if (subsystem) {
		append(finished, sizeof(finished), &len, subsystem);
		append(finished, sizeof(finished), &len, ": ");
	}
	/* A long text is cut so that the Call-ID behind it always has its room. */
	hd_log_escape(finished, sizeof(finished) - sizeof(id) - sizeof(" call-id="), &len,
		      (struct hd_slice){ .ptr = masked, .len = n }, true);
	if (line.call_id) {
		append(finished, sizeof(finished), &len, " call-id=");
		memcpy(finished + len, id, id_len + 1);
	}
	line.text = finished;
	hd_log_emit_raw(&line);
}

static void format_and_emit(enum hd_log_level level, const char *subsystem, const char *call_id,
			    const char *fmt, va_list ap)
{
	char text[HD_LOG_RAW_MAX];
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0) /* only an unprintable wide character can do this */
		hd_log_emit(level, subsystem, call_id, fmt);
	else
		hd_log_emit(level, subsystem, call_id, text);
}

void hd_vlog(enum hd_log_level level, const char *subsystem, const char *fmt, va_list ap)
{
	if (hd_log_enabled(subsystem, level))
		format_and_emit(level, subsystem, NULL, fmt, ap);
}

void hd_log(enum hd_log_level level, const char *subsystem, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hd_vlog(level, subsystem, fmt, ap);
	va_end(ap);
}

void hd_log_call(enum hd_log_level level, const char *subsystem, const char *call_id,
		 const char *fmt, ...)
{
	va_list ap;

	if (!hd_log_enabled(subsystem, level))
		return;
	va_start(ap, fmt);
	format_and_emit(level, subsystem, call_id, fmt, ap);
	va_end(ap);
}
