/* g711.c - A-law and mu-law (ITU-T G.711). */
#include "media_priv.h"

enum { MU_BIAS = 0x84, MU_CLIP = 32635 };

/* The position of the highest bit of v above `low`. */
static int segment_of(int v, int low)
{
	int segment = 0;

	for (v >>= low; v > 1 && segment < 7; v >>= 1)
		segment++;
	return segment;
}

static uint8_t encode_a(int16_t sample)
{
	int v = sample >> 3, sign = 0xd5, segment;

	if (v < 0) {
		v = -v - 1;
		sign = 0x55;
	}
	if (v > 4095)
		v = 4095;
	segment = v < 32 ? 0 : segment_of(v, 4);
	v = segment < 2 ? v >> 1 : v >> segment;
	return (uint8_t)((segment << 4 | (v & 0x0f)) ^ sign);
}

static int16_t decode_a(uint8_t octet)
{
	int v = octet ^ 0x55, segment = (v & 0x70) >> 4, level = (v & 0x0f) << 4;

	level += segment == 0 ? 8 : 0x108;
	if (segment > 1)
		level <<= segment - 1;
	return (int16_t)(v & 0x80 ? level : -level);
}

static uint8_t encode_mu(int16_t sample)
{
	int v = sample, sign = 0x80, segment;

	if (v < 0) {
		v = -v;
		sign = 0;
	}
	if (v > MU_CLIP)
		v = MU_CLIP;
	v += MU_BIAS;
	segment = segment_of(v, 7);
	return (uint8_t)(~(segment << 4 | (v >> (segment + 3) & 0x0f)) & 0x7f) | (uint8_t)sign;
}

static int16_t decode_mu(uint8_t octet)
{
	int v = ~octet & 0xff, segment = (v & 0x70) >> 4;
	int level = (((v & 0x0f) << 3) + MU_BIAS) << segment;

	return (int16_t)(v & 0x80 ? MU_BIAS - level : level - MU_BIAS);
}

uint8_t g711_encode(enum hd_law law, int16_t sample)
{
	return law == HD_LAW_A ? encode_a(sample) : encode_mu(sample);
}

int16_t g711_decode(enum hd_law law, uint8_t octet)
{
	return law == HD_LAW_A ? decode_a(octet) : decode_mu(octet);
}
