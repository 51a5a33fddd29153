/* number.c - dialled digits to one number and back; see hotdesk/number.h. */
#include <stdio.h>
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/number.h"

const char *hd_number_kind_name(enum hd_number_kind kind)
{
	static const char *const names[] = {
#define KIND_NAME(n, s) s,
		HD_NUMBER_KIND_LIST(KIND_NAME)
#undef KIND_NAME
	};

	return kind < HD_NUMBER_KIND_COUNT ? names[kind] : "unknown";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The rest behind a prefix, or NULL; an empty prefix is none. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return len > 0 && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Without visual separators; @return 0, HD_EPARSE or HD_ELIMIT */
static int clean(char dst[HD_DIALLED_SIZE], const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p && *p != ';'; p++) {
		if (strchr("-.() ", *p))
			continue;
		if (!is_digit(*p) && *p != '*' && *p != '#' && (*p != '+' || n > 0))
			return HD_EPARSE;
		if (n + 1 >= HD_DIALLED_SIZE)
			return HD_ELIMIT;
		dst[n++] = *p;
	}
	dst[n] = '\0';
	/* RFC 3966 parameters that a number comes with have values; "201;x" is another name. */
	if (strchr(text, ';') && !strchr(strchr(text, ';'), '='))
		return HD_EPARSE;
	return n == 0 || strcmp(dst, "+") == 0 ? HD_EPARSE : 0;
}

static bool is_emergency(const struct hd_number_plan *plan, const char *digits)
{
	for (size_t i = 0; i < plan->n_emergency; i++)
		if (strcmp(plan->emergency[i], digits) == 0)
			return true;
	return false;
}

/* Joins up to three parts. @return 0; HD_EPARSE: not only digits; HD_ELIMIT: longer than E.164 */
static int make_e164(char dst[HD_E164_SIZE], const char *a, const char *b, const char *c)
{
	int n = snprintf(dst, HD_E164_SIZE, "+%s%s%s", a, b, c);

	if (n < 0 || (size_t)n >= HD_E164_SIZE)
		return HD_ELIMIT;
	return n > 1 && strspn(dst + 1, "0123456789") == (size_t)n - 1 ? 0 : HD_EPARSE;
}

static enum hd_number_kind kind_of_e164(const struct hd_number_plan *plan, const char *e164)
{
	const char *rest = behind(e164 + 1, plan->country);

	if (!rest)
		return HD_NUMBER_KIND_INTERNATIONAL;
	return behind(rest, plan->area) ? HD_NUMBER_KIND_LOCAL : HD_NUMBER_KIND_NATIONAL;
}

/* A number outside, its line prefix taken off. */
static int parse_outside(struct hd_number *number, const struct hd_number_plan *plan)
{
	const char *digits = number->dialled, *rest;
	int err;

	rest = digits[0] == '+' ? digits + 1 : behind(digits, plan->international);
	if (rest) {
		err = make_e164(number->e164, rest, "", "");
		number->kind = kind_of_e164(plan, number->e164);
		return err;
	}
	rest = behind(digits, plan->national);
	number->kind = rest ? HD_NUMBER_KIND_NATIONAL : HD_NUMBER_KIND_LOCAL;
	if (plan->country[0] && rest)
		err = make_e164(number->e164, plan->country, rest, "");
	else if (plan->country[0] && (plan->area[0] || !plan->national[0]))
		err = make_e164(number->e164, plan->country, plan->area, digits);
	else
		return 0;
	if (!err)
		number->kind = kind_of_e164(plan, number->e164);
	/* Service codes of the network behind us, "*21*...": local, without a number of E.164. */
	if (err == HD_EPARSE) {
		number->e164[0] = '\0';
		err = 0;
	}
	return err;
}

/* A number outside that comes back to us. */
static void bring_home(struct hd_number *number, const struct hd_number_plan *plan)
{
	const char *rest = behind(number->e164, plan->own);

	if (!rest || !*rest)
		return;
	memmove(number->dialled, rest, strlen(rest) + 1);
	number->e164[0] = '\0';
	number->kind = HD_NUMBER_KIND_INTERNAL;
}

int hd_number_parse(struct hd_number *number, const struct hd_number_plan *plan,
		    struct hd_slice user)
{
	char text[4 * HD_DIALLED_SIZE];
	int err;

	*number = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL };
	err = hd_uri_unescape(text, sizeof(text), user);
	if (err)
		return err == HD_ELIMIT ? HD_ELIMIT : HD_EPARSE;
	return hd_number_read(number, plan, text);
}

int hd_number_read(struct hd_number *number, const struct hd_number_plan *plan, const char *text)
{
	const char *rest;
	int err;

	*number = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL };
	err = clean(number->dialled, text);
	if (err)
		return err;
	rest = behind(number->dialled, plan->outside);
	if (is_emergency(plan, number->dialled) || (rest && is_emergency(plan, rest))) {
		if (!is_emergency(plan, number->dialled))
			memmove(number->dialled, rest, strlen(rest) + 1);
		number->kind = HD_NUMBER_KIND_EMERGENCY;
		return 0;
	}
	if (number->dialled[0] != '+' && plan->outside[0]) {
		if (!rest || !*rest) {
			number->kind = HD_NUMBER_KIND_INTERNAL;
			return 0;
		}
		memmove(number->dialled, rest, strlen(rest) + 1);
	}
	err = parse_outside(number, plan);
	if (!err)
		bring_home(number, plan);
	return err;
}

int hd_number_format(char *dst, size_t size, const struct hd_number_plan *plan,
		     const struct hd_number *number, enum hd_number_form form)
{
	const char *line = form == HD_NUMBER_FORM_DIALLED ? plan->outside : "";
	const char *inland = number->e164[0] ? behind(number->e164 + 1, plan->country) : NULL;
	int n;

	if (!number->e164[0])
		n = snprintf(dst, size, "%s%s", number->kind >= HD_NUMBER_KIND_LOCAL ? line : "",
			     number->dialled);
	else if (form == HD_NUMBER_FORM_E164)
		n = snprintf(dst, size, "%s", number->e164);
	else if (form == HD_NUMBER_FORM_PLAIN)
		n = snprintf(dst, size, "%s", number->e164 + 1);
	else if (inland)
		n = snprintf(dst, size, "%s%s%s", line, plan->national, inland);
	else if (plan->international[0])
		n = snprintf(dst, size, "%s%s%s", line, plan->international, number->e164 + 1);
	else
		n = snprintf(dst, size, "%s", number->e164);
	if (n >= 0 && (size_t)n < size)
		return 0;
	if (size > 0)
		dst[0] = '\0';
	return HD_ELIMIT;
}

bool hd_number_matches(const char *pattern, const char *text)
{
	for (; *pattern && *pattern != '~'; pattern++, text++)
		if (*pattern == 'X' ? !is_digit(*text) : *pattern != *text)
			return false;
	return *pattern == '~' || *text == '\0';
}
