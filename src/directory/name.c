/* name.c - what numbers, phone ids and MAC addresses look like. */
#include <string.h>

#include "directory_priv.h"

static bool name_is_valid(struct hd_slice s, size_t max)
{
	if (s.len == 0 || s.len > max)
		return false;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c >= '0' && c <= '9')
			continue;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			continue;
		if (c == '\0' || !strchr("*#+._-", c))
			return false;
	}
	return true;
}

bool hd_number_is_valid(struct hd_slice s)
{
	return name_is_valid(s, HD_NUMBER_SIZE - 1);
}

bool hd_phone_id_is_valid(struct hd_slice s)
{
	return name_is_valid(s, HD_PHONE_ID_SIZE - 1);
}

bool hd_class_name_is_valid(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' || !strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", s.ptr[i]))
			return false;
	return s.len > 0 && s.len < HD_CLASS_SIZE && s.ptr[0] >= 'a' && s.ptr[0] <= 'z';
}

int hd_mac_parse(char dst[13], struct hd_slice s)
{
	uint8_t bytes[6];
	char digits[12];
	size_t n = 0;

	if (!dst)
		return HD_EINVAL;

	dst[0] = '\0';
	if (s.len == 17 && (s.ptr[2] == ':' || s.ptr[2] == '-')) {
		for (size_t i = 0; i < s.len; i++) {
			if (i % 3 != 2)
				digits[n++] = s.ptr[i];
			else if (s.ptr[i] != s.ptr[2])
				return HD_EPARSE;
		}
		s = (struct hd_slice){ digits, n };
	}
	if (s.len != 12 || hd_hex_parse(bytes, sizeof(bytes), s))
		return HD_EPARSE;

	hd_hex_format(dst, bytes, sizeof(bytes));
	return 0;
}
