/*
 * fuzz_device.c - what phones say of themselves is read without harm, and the records about them
 * decode or are refused. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "device/device_priv.h"
#include "support/fuzz.h"

static struct hd_store *store;
static struct hd_device *device;
static struct hd_slice input;

static void expect(int ok)
{
	if (!ok)
		abort();
}

static void check_mac(const char *mac)
{
	char again[HD_MAC_SIZE];

	expect(!mac[0] || (!hd_mac_parse(again, hd_slice_of(mac)) && strcmp(mac, again) == 0));
}

static void check_hint(const struct hd_device_hint *hint)
{
	check_mac(hint->mac);
	expect(hd_utf8_is_text(hd_slice_of(hint->model)));
	expect(hd_utf8_is_text(hd_slice_of(hint->firmware)));
	expect(strspn(hint->model, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(hint->model));
}

static void fuzz_hint(void)
{
	struct hd_device_hint hint;
	char mac[HD_MAC_SIZE];

	hd_device_by_agent(&hint, input);
	check_hint(&hint);
	hd_device_by_file(&hint, input);
	check_hint(&hint);
	expect(!hd_device_by_instance(mac, input) == (mac[0] != '\0'));
	check_mac(mac);
	expect(!hd_device_find_mac(mac, input) == (mac[0] != '\0'));
	check_mac(mac);
}

static void fuzz_file(void)
{
	size_t n;
	const struct hd_vendor *v = hd_vendors(&n);
	char mac[HD_MAC_SIZE];
	bool has_mac = !hd_device_find_mac(mac, input);

	for (size_t i = 0; i < n; i++) {
		(void)hd_vendor_file_of(&v[i], "", input);
		/* A file of one phone is never another's. */
		expect(!has_mac || strcmp(mac, "000413aabb01") == 0 ||
		       hd_vendor_file_of(&v[i], "000413aabb01", input) == HD_VENDOR_FILE_NONE);
	}
}

static int fuzz_records(struct hd_txn *txn, void *arg)
{
	static struct hd_phone_key a[HD_PHONE_KEYS_MAX], b[HD_PHONE_KEYS_MAX];
	size_t n = HD_PHONE_KEYS_MAX, m = HD_PHONE_KEYS_MAX;
	char secret[HD_SIP_SECRET_SIZE], token[HD_TOKEN_SIZE];
	const struct hd_slice id = { "a", 1 }, key = { "pa", 2 };
	struct hd_device_seen seen;

	(void)arg;
	if (input.len > HD_RECORD_MAX)
		return 0;
	expect(!hd_txn_put(txn, device->keys, key, input));
	if (!hd_device_keys_get(device, txn, 'p', "a", a, &n) &&
	    !hd_device_keys_put(device, txn, 'p', "a", a, n))
		expect(!hd_device_keys_get(device, txn, 'p', "a", b, &m) && n == m);
	expect(!hd_txn_put(txn, device->seen, id, input));
	if (!hd_device_seen_get(device, txn, "a", &seen))
		expect(!hd_device_seen_put(device, txn, "a", &seen));
	expect(!hd_txn_put(txn, device->secrets, id, input));
	/* Nothing that was not sealed with our key is ever taken for a secret. */
	expect(hd_device_secret_get(device, txn, "a", secret) != 0);
	if (!hd_device_token(device, txn, "a", token))
		expect(hd_device_by_token(device, txn, hd_slice_of(token), secret) == HD_ENOENT);
	return HD_ESTATE; /* undone */
}

static void open_store(void)
{
	const struct hd_store_options options = { 0 };
	const struct hd_key master = { { 1 } };

	expect(!hd_secret_init() && !hd_store_open_mem(&store, &options) &&
	       !hd_device_new(&device, store, &master));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *copy;

	if (len < 1)
		return 0;
	if (!store)
		open_store();
	/* A copy of exactly this length, so that a read beyond it is seen. */
	copy = malloc(len > 1 ? len - 1 : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, len - 1);
	input = (struct hd_slice){ copy, len - 1 };
	switch (data[0] % 3) {
	case 0:
		fuzz_hint();
		break;
	case 1:
		fuzz_file();
		break;
	default:
		(void)!hd_store_execute(store, fuzz_records, NULL);
		break;
	}
	free(copy);
	return 0;
}
