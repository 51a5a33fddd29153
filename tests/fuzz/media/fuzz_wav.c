/* fuzz_wav.c - WAV files of an administrator. */
#include <stdlib.h>

#include "hotdesk/media.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_sound *sound = NULL;
	struct hd_slice octets;

	if (hd_sound_parse(&sound, (struct hd_slice){ (const char *)data, len }))
		return 0;
	octets = hd_sound_octets(sound, HD_LAW_A);
	if (octets.len > len || octets.len != hd_sound_octets(sound, HD_LAW_MU).len)
		abort();
	hd_sound_free(sound);
	return 0;
}
