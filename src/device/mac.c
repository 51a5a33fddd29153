/* mac.c - finding a MAC in what phones write. */
#include <string.h>

#include "device_priv.h"

enum { PLAIN = 12, PAIRS = 17 };

bool device_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool device_begins(struct hd_slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && hd_slice_caseis((struct hd_slice){ s.ptr, n }, prefix);
}

size_t device_mac_at(char mac[HD_MAC_SIZE], struct hd_slice s)
{
	static const size_t lengths[] = { PAIRS, PLAIN };

	for (size_t i = 0; i < 2; i++) {
		size_t n = lengths[i];

		if (s.len < n || (s.len > n && device_is_alnum(s.ptr[n])))
			continue;
		/* Twelve zeros are the name of a file for everyone. */
		if (!hd_mac_parse(mac, (struct hd_slice){ s.ptr, n }) &&
		    strcmp(mac, "000000000000") != 0)
			return n;
	}
	mac[0] = '\0';
	return 0;
}

/* Whether a MAC may begin behind the first n bytes: not in the middle of a word or number. */
static bool begins_at(struct hd_slice text, size_t n)
{
	static const char *const before[] = { "MAC", "%3A", "cfg", "spa" };

	if (n == 0 || !device_is_alnum(text.ptr[n - 1]))
		return true;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		size_t len = strlen(before[i]);

		if (n >= len &&
		    device_begins((struct hd_slice){ text.ptr + n - len, len }, before[i]) &&
		    (before[i][0] == '%' || n == len || !device_is_alnum(text.ptr[n - len - 1])))
			return true;
	}
	return false;
}

int hd_device_find_mac(char mac[HD_MAC_SIZE], struct hd_slice text)
{
	mac[0] = '\0';
	for (size_t i = 0; i + PLAIN <= text.len; i++) {
		struct hd_slice rest = { text.ptr + i, text.len - i };

		if (begins_at(text, i) && device_mac_at(mac, rest))
			return 0;
	}
	return HD_ENOENT;
}

static bool is_assigned(const char *mac)
{
	uint8_t bytes[6];

	/* The first octet's lowest bits: group address, locally administered. */
	return !hd_hex_parse(bytes, sizeof(bytes), hd_slice_of(mac)) && !(bytes[0] & 3);
}

int hd_device_by_instance(char mac[HD_MAC_SIZE], struct hd_slice value)
{
	static const char urn[] = "urn:uuid:";
	enum { URN = sizeof(urn) - 1, UUID = 36, VERSION = 14, NODE = 24 };
	char version;

	if (!mac)
		return HD_EINVAL;

	mac[0] = '\0';
	while (value.len && strchr("<\" \t", value.ptr[0]))
		value = (struct hd_slice){ value.ptr + 1, value.len - 1 };
	while (value.len && strchr(">\" \t", value.ptr[value.len - 1]))
		value.len--;
	if (device_begins(value, urn)) {
		if (value.len != URN + UUID)
			return HD_ENOENT;
		version = value.ptr[URN + VERSION];
		value = (struct hd_slice){ value.ptr + URN + NODE, UUID - NODE };
		/* RFC 4122: of version 1 the node is a MAC. Snom says no version, and its own. */
		if (version != '1' && !device_begins(value, "000413"))
			return HD_ENOENT;
	}
	if (device_mac_at(mac, value) != value.len || !value.len || !is_assigned(mac)) {
		mac[0] = '\0';
		return HD_ENOENT;
	}
	return 0;
}
