/* timezone.c - time zones as phones want them: offsets and rules; see render.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hotdesk/render.h"

#define ZONES "/usr/share/zoneinfo/"

/* ---- POSIX TZ (IEEE Std 1003.1, 8.3), as the files of RFC 8536 end with ---------------------- */

/* "CET" or "<+03>": the length, 0: none. */
static size_t name_length(const char *p)
{
	size_t n = 0;

	if (*p == '<') {
		n = strcspn(p, ">");
		return p[n] ? n + 1 : 0;
	}
	while ((p[n] >= 'A' && p[n] <= 'Z') || (p[n] >= 'a' && p[n] <= 'z'))
		n++;
	return n >= 3 ? n : 0;
}

static bool number_read(const char **pp, long max, long *vp)
{
	char *end;

	if (**pp < '0' || **pp > '9')
		return false;
	*vp = strtol(*pp, &end, 10);
	*pp = end;
	return *vp <= max;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool time_read(const char **pp, int32_t *secondsp)
{
	bool minus = **pp == '-';
	long v[3] = { 0 };

	*pp += minus || **pp == '+';
	if (!number_read(pp, 167, &v[0]))
		return false;
	for (int i = 1; i < 3 && **pp == ':'; i++) {
		++*pp;
		if (!number_read(pp, 59, &v[i]))
			return false;
	}
	*secondsp = (int32_t)(v[0] * 3600 + v[1] * 60 + v[2]);
	*secondsp = minus ? -*secondsp : *secondsp;
	return true;
}

/* ",M3.5.0/2": only this kind of rule is what phones have. */
static int rule_read(const char **pp, struct hd_timezone_rule *rule)
{
	int32_t at_s = 2 * 3600;
	long month, week, weekday;

	if (**pp != ',')
		return HD_EPARSE;
	++*pp;
	if (**pp != 'M')
		return HD_EUNSUPPORTED;
	++*pp;
	if (!number_read(pp, 12, &month) || *(*pp)++ != '.' || !number_read(pp, 5, &week) ||
	    *(*pp)++ != '.' || !number_read(pp, 6, &weekday))
		return HD_EPARSE;
	if (**pp == '/') {
		++*pp;
		if (!time_read(pp, &at_s))
			return HD_EPARSE;
	}
	/* RFC 8536 allows -167 to 167 hours; phones want an hour of the day. */
	if (at_s < 0 || at_s >= 24 * 3600 || month < 1 || week < 1)
		return HD_EUNSUPPORTED;
	*rule = (struct hd_timezone_rule){ (unsigned)month, (unsigned)week, (unsigned)weekday,
					   (unsigned)at_s / 3600 };
	return 0;
}

static int dst_read(struct hd_timezone *zone, const char *p)
{
	int32_t west_s = -zone->offset_s - 3600;
	size_t n = name_length(p);
	int err;

	if (!n)
		return HD_EPARSE;
	p += n;
	if (*p != ',' && *p != '\0' && !time_read(&p, &west_s))
		return HD_EPARSE;
	zone->dst_offset_s = -west_s - zone->offset_s;
	err = rule_read(&p, &zone->dst_begin);
	if (!err)
		err = rule_read(&p, &zone->dst_end);
	if (!err && *p)
		err = HD_EPARSE;
	zone->has_dst = !err;
	return err;
}

int hd_timezone_parse(struct hd_timezone *zone, const char *posix)
{
	const char *p = posix;
	int32_t west_s;

	if (!zone || !posix)
		return HD_EINVAL;
	memset(zone, 0, sizeof(*zone));
	if (hd_str_set(zone->posix, sizeof(zone->posix), posix))
		return HD_EPARSE;
	if (!name_length(p))
		return HD_EPARSE;
	p += name_length(p);
	if (!time_read(&p, &west_s))
		return HD_EPARSE;
	zone->offset_s = -west_s;
	return *p ? dst_read(zone, p) : 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool name_is_valid(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/",
			    *p))
			return false;
	return name[0] && name[0] != '/';
}

/* The last line of a TZif file of version 2 or later: between its last two line feeds. */
static int footer_read(char *dst, size_t size, const char *path)
{
	char tail[128];
	ssize_t n = -1;
	off_t end;
	char *from;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return HD_ENOENT;
	end = lseek(fd, 0, SEEK_END);
	if (end > 0 && lseek(fd, end > 127 ? end - 127 : 0, SEEK_SET) >= 0)
		n = read(fd, tail, sizeof(tail) - 1);
	(void)close(fd);
	if (n < 2 || tail[n - 1] != '\n')
		return HD_ENOENT;
	tail[n - 1] = '\0';
	from = memrchr(tail, '\n', (size_t)n - 1);
	return from ? hd_str_set(dst, size, from + 1) : HD_ENOENT;
}

static void system_name(char *dst, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	const char *at;

	dst[0] = '\0';
	if (n <= 0)
		return;
	target[n] = '\0';
	at = strstr(target, "zoneinfo/");
	if (at && hd_str_set(dst, size, at + strlen("zoneinfo/")))
		dst[0] = '\0';
}

int hd_timezone_load(struct hd_timezone *zone, const char *name)
{
	char path[sizeof(ZONES) + sizeof(zone->name)] = "/etc/localtime";
	char own[sizeof(zone->name)], posix[sizeof(zone->posix)];
	int err = 0;

	if (!zone)
		return HD_EINVAL;
	system_name(own, sizeof(own));
	if (name && (strlen(name) >= sizeof(zone->name) || !name_is_valid(name)))
		return HD_ENOENT;
	if (name)
		(void)snprintf(path, sizeof(path), "%s%s", ZONES, name);
	err = footer_read(posix, sizeof(posix), path);
	if (!err)
		err = hd_timezone_parse(zone, posix);
	if (err && !name) {
		err = hd_timezone_parse(zone, "UTC0");
		own[0] = '\0';
	}
	if (!err)
		err = hd_str_set(zone->name, sizeof(zone->name), name ? name : own);
	return err;
}
