/* seal.c - texts that only who has the key can read or change; see secret.h. */
#include <sodium.h>
#include <string.h>

#include "hotdesk/base/secret.h"

enum { NONCE_BYTES = 24, TAG_BYTES = 16 };

_Static_assert(NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "libsodium's nonce");
_Static_assert(TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "libsodium's tag");
_Static_assert(HD_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "libsodium's key");
_Static_assert((int)HD_SEAL_BYTES == NONCE_BYTES + TAG_BYTES, "what is added");

void hd_seal(uint8_t *sealed, const struct hd_key *key, struct hd_slice text, struct hd_slice about)
{
	hd_random_bytes(sealed, NONCE_BYTES);
	/* It never fails; it returns 0 for the sake of other ciphers. */
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		sealed + NONCE_BYTES, NULL, (const uint8_t *)text.ptr, text.len,
		(const uint8_t *)about.ptr, about.len, NULL, sealed, key->bytes);
}

int hd_unseal(uint8_t *text, const struct hd_key *key, struct hd_slice sealed,
	      struct hd_slice about)
{
	const uint8_t *from = (const uint8_t *)sealed.ptr;

	if (sealed.len < HD_SEAL_BYTES)
		return HD_EACCESS;
	if (!crypto_aead_xchacha20poly1305_ietf_decrypt(
		    text, NULL, NULL, from + NONCE_BYTES, sealed.len - NONCE_BYTES,
		    (const uint8_t *)about.ptr, about.len, from, key->bytes))
		return 0;
	hd_wipe(text, sealed.len - HD_SEAL_BYTES);
	return HD_EACCESS;
}
