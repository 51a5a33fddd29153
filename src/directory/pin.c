/* pin.c - rules for a new PIN; see hd_pin_check(). */
#include <string.h>

#include "directory_priv.h"

enum { PIN_LENGTH_MAX = 64, LINE_MIN = 3 };

/* The straight lines of a telephone keypad; each also backwards. */
static const char *const lines[] = { "123",  "456", "789", "147", "258",
				     "2580", "580", "369", "159", "357" };

static bool has_three_in_a_row(struct hd_slice pin)
{
	for (size_t i = 2; i < pin.len; i++)
		if (pin.ptr[i] == pin.ptr[i - 1] && pin.ptr[i] == pin.ptr[i - 2])
			return true;
	return false;
}

static size_t distinct_digits(struct hd_slice pin)
{
	unsigned seen = 0;
	size_t n = 0;

	for (size_t i = 0; i < pin.len; i++) {
		unsigned bit = 1u << (pin.ptr[i] - '0');

		if (!(seen & bit))
			n++;
		seen |= bit;
	}
	return n;
}

static bool is_repeated_group(struct hd_slice pin)
{
	for (size_t len = 1; len <= pin.len / 2; len++)
		if (pin.len % len == 0 && memcmp(pin.ptr, pin.ptr + len, pin.len - len) == 0)
			return true;
	return false;
}

/* 9 is followed by 0, as on the keypad. */
static bool is_run(struct hd_slice pin, int step)
{
	for (size_t i = 1; i < pin.len; i++)
		if ((pin.ptr[i - 1] - '0' + step + 10) % 10 != pin.ptr[i] - '0')
			return false;
	return true;
}

/* Whether the line stands at the end of the first `end` digits, in either direction. */
static bool ends_in_line(struct hd_slice pin, size_t end, const char *line)
{
	size_t n = strlen(line);
	const char *p;
	bool forward = true, backward = true;

	if (n > end)
		return false;

	p = pin.ptr + end - n;
	for (size_t i = 0; i < n; i++) {
		forward = forward && p[i] == line[i];
		backward = backward && p[i] == line[n - 1 - i];
	}
	return forward || backward;
}

/* True when the PIN is made of nothing but straight lines: 2580, 159753. */
static bool is_keypad_lines(struct hd_slice pin)
{
	bool reached[PIN_LENGTH_MAX + 1] = { true };

	for (size_t end = LINE_MIN; end <= pin.len; end++) {
		for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
			size_t n = strlen(lines[i]);

			if (n <= end && reached[end - n] && ends_in_line(pin, end, lines[i]))
				reached[end] = true;
		}
	}
	return pin.len > 0 && reached[pin.len];
}

/* The number or its reverse, alone or as the last and larger part of the PIN. */
static bool is_number(struct hd_slice pin, const char *number)
{
	struct hd_slice n = hd_slice_of(number);
	bool forward = true, backward = true;
	const char *end;

	if (n.len == 0 || n.len > pin.len || 2 * n.len <= pin.len)
		return false;

	end = pin.ptr + pin.len - n.len;
	for (size_t i = 0; i < n.len; i++) {
		forward = forward && end[i] == n.ptr[i];
		backward = backward && end[i] == n.ptr[n.len - 1 - i];
	}
	return forward || backward;
}

static const char *why_trivial(struct hd_slice pin, const char *number)
{
	if (has_three_in_a_row(pin))
		return "the PIN has the same digit more than twice in a row";
	if (distinct_digits(pin) < 3)
		return "the PIN has fewer than three different digits";
	if (is_number(pin, number))
		return "the PIN is the user's number";
	if (is_repeated_group(pin))
		return "the PIN repeats one group of digits";
	if (is_run(pin, 1) || is_run(pin, -1))
		return "the PIN counts up or down";
	if (is_keypad_lines(pin))
		return "the PIN follows straight lines of the keypad";
	return NULL;
}

int hd_pin_check(const struct hd_pin_policy *policy, struct hd_slice pin, const char *number,
		 const char **whyp)
{
	const char *why = NULL;

	if (!policy || !whyp || (!pin.ptr && pin.len > 0))
		return HD_EINVAL;

	for (size_t i = 0; i < pin.len && !why; i++)
		if (pin.ptr[i] < '0' || pin.ptr[i] > '9')
			why = "the PIN has other characters than digits";
	if (!why && (pin.len == 0 || pin.len < policy->length_min))
		why = "the PIN is too short";
	if (!why && (pin.len > policy->length_max || pin.len > PIN_LENGTH_MAX))
		why = "the PIN is too long";
	if (!why && !policy->trivial_allowed)
		why = why_trivial(pin, number);

	*whyp = why ? why : "";
	return why ? HD_EACCESS : 0;
}
