/* logout.c - see hotdesk/base/logout.h. */
#include <string.h>
#include <time.h>

#include "hotdesk/base/logout.h"

enum { DAY_MIN = 24 * 60, LONGEST_S = 366 * 86400 };

/* ---- text ----------------------------------------------------------------------------------- */

static bool is_never(struct hd_slice s)
{
	return hd_slice_is(s, "never");
}

static int parse_at(int32_t *atp, struct hd_slice s)
{
	struct hd_slice hours = { s.ptr, 2 }, minutes = { s.ptr + 3, 2 };
	uint64_t h, m;

	if (is_never(s)) {
		*atp = HD_LOGOUT_NEVER;
		return 0;
	}
	if (s.len != 5 || s.ptr[2] != ':' || hd_u64_parse(&h, hours, 23) ||
	    hd_u64_parse(&m, minutes, 59))
		return HD_EPARSE;
	*atp = HD_LOGOUT_MIDNIGHT + (int32_t)(h * 60 + m);
	return 0;
}

static int parse_time(int64_t *secondsp, struct hd_slice s)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	const char *unit;
	uint64_t n;

	if (is_never(s)) {
		*secondsp = HD_LOGOUT_NEVER;
		return 0;
	}
	unit = s.len > 1 ? memchr(units, s.ptr[s.len - 1], sizeof(units) - 1) : NULL;
	s.len -= s.len > 0;
	if (!unit || hd_u64_parse(&n, s, LONGEST_S) || n == 0 ||
	    (int64_t)n > LONGEST_S / seconds[unit - units])
		return HD_EPARSE;
	*secondsp = (int64_t)n * seconds[unit - units];
	return 0;
}

/* "WORD VALUE"; each word once. */
static int parse_part(struct hd_logout_rule *rule, struct hd_slice part)
{
	size_t n = 0;
	struct hd_slice word, value;

	while (n < part.len && part.ptr[n] != ' ')
		n++;
	word = (struct hd_slice){ part.ptr, n };
	value = hd_slice_trim((struct hd_slice){ part.ptr + n, part.len - n });
	if (hd_slice_is(word, "at") && rule->at == HD_LOGOUT_INHERIT)
		return parse_at(&rule->at, value);
	if (hd_slice_is(word, "after") && rule->after_s == HD_LOGOUT_INHERIT)
		return parse_time(&rule->after_s, value);
	if (hd_slice_is(word, "unregistered") && rule->unregistered_s == HD_LOGOUT_INHERIT)
		return parse_time(&rule->unregistered_s, value);
	return HD_EPARSE;
}

int hd_logout_rule_parse(struct hd_logout_rule *rule, struct hd_slice text)
{
	struct hd_slice rest = hd_slice_trim(text);
	int err = 0;

	memset(rule, 0, sizeof(*rule));
	if (is_never(rest)) {
		rule->at = HD_LOGOUT_NEVER;
		rule->after_s = rule->unregistered_s = HD_LOGOUT_NEVER;
		return 0;
	}
	while (!err && rest.len > 0) {
		const char *comma = memchr(rest.ptr, ',', rest.len);
		size_t n = comma ? (size_t)(comma - rest.ptr) : rest.len;

		err = parse_part(rule, hd_slice_trim((struct hd_slice){ rest.ptr, n }));
		if (!err && comma && n + 1 == rest.len)
			err = HD_EPARSE;
		n += comma != NULL;
		rest.ptr += n;
		rest.len -= n;
	}
	if (err)
		memset(rule, 0, sizeof(*rule));
	return err;
}

void hd_logout_rule_inherit(struct hd_logout_rule *rule, const struct hd_logout_rule *from)
{
	if (rule->at == HD_LOGOUT_INHERIT)
		rule->at = from->at;
	if (rule->after_s == HD_LOGOUT_INHERIT)
		rule->after_s = from->after_s;
	if (rule->unregistered_s == HD_LOGOUT_INHERIT)
		rule->unregistered_s = from->unregistered_s;
}

/* ---- when ----------------------------------------------------------------------------------- */

const char *hd_logout_why_name(enum hd_logout_why why)
{
	static const char *const names[] = { "time of day", "time since the login",
					     "phone not registered" };

	return names[why];
}

/* The first such time of day after a moment; mktime() knows about daylight saving. */
static int64_t next_at(int32_t minute, int64_t since_ms)
{
	time_t since = (time_t)(since_ms / 1000), at;
	struct tm day, tm;

	if (!localtime_r(&since, &day))
		return INT64_MAX;
	for (int i = 0; i < 3; i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_year = day.tm_year;
		tm.tm_mon = day.tm_mon;
		tm.tm_mday = day.tm_mday + i;
		tm.tm_hour = minute / 60;
		tm.tm_min = minute % 60;
		tm.tm_isdst = -1;
		at = mktime(&tm);
		if (at > since)
			return (int64_t)at * 1000;
	}
	return INT64_MAX;
}

static void take(int64_t *duep, enum hd_logout_why *whyp, int64_t due, enum hd_logout_why why)
{
	if (due >= *duep)
		return;
	*duep = due;
	if (whyp)
		*whyp = why;
}

int64_t hd_logout_due(const struct hd_logout_rule *rule, int64_t since_ms, int64_t unregistered_ms,
		      enum hd_logout_why *whyp)
{
	int64_t due = INT64_MAX;

	if (rule->at >= HD_LOGOUT_MIDNIGHT && rule->at < HD_LOGOUT_MIDNIGHT + DAY_MIN)
		take(&due, whyp, next_at(rule->at - HD_LOGOUT_MIDNIGHT, since_ms), HD_LOGOUT_AT);
	if (rule->after_s > 0)
		take(&due, whyp, since_ms + rule->after_s * 1000, HD_LOGOUT_AFTER);
	if (rule->unregistered_s > 0 && unregistered_ms > 0)
		take(&due, whyp, unregistered_ms + rule->unregistered_s * 1000,
		     HD_LOGOUT_UNREGISTERED);
	return due;
}
