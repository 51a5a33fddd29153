/* sound.c - sounds from WAV files and from notes, kept in both laws. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media_priv.h"

enum {
	RATE = 8000,
	SAMPLES_MAX = 60 * RATE,
	FILE_MAX = 2 * SAMPLES_MAX + 65536,
	WAV_PCM = 1,
	WAV_A_LAW = 6,
	WAV_MU_LAW = 7,
	LOUD = 8000,	  /* of 32767: about -12 dBov */
	FADE = RATE / 200 /* 5 ms: a note must not click */
};

static const double two_pi = 6.283185307179586;

static struct hd_sound *sound_alloc(size_t n)
{
	struct hd_sound *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->n = n;
	for (int law = 0; law < 2; law++) {
		s->octets[law] = malloc(n ? n : 1);
		if (!s->octets[law]) {
			hd_sound_free(s);
			return NULL;
		}
	}
	return s;
}

void hd_sound_free(struct hd_sound *s)
{
	if (!s)
		return;
	free(s->octets[HD_LAW_MU]);
	free(s->octets[HD_LAW_A]);
	free(s);
}

uint32_t hd_sound_ms(const struct hd_sound *s)
{
	return (uint32_t)(s->n / (RATE / 1000));
}

struct hd_slice hd_sound_octets(const struct hd_sound *s, enum hd_law law)
{
	return (struct hd_slice){ (const char *)s->octets[law], s->n };
}

static void put(struct hd_sound *s, size_t i, int16_t sample)
{
	s->octets[HD_LAW_MU][i] = g711_encode(HD_LAW_MU, sample);
	s->octets[HD_LAW_A][i] = g711_encode(HD_LAW_A, sample);
}

/* ---- WAV ------------------------------------------------------------------------------------ */

static uint32_t get_le(const uint8_t *b, size_t n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | b[n];
	return v;
}

struct wav {
	unsigned format;
	struct hd_slice data;
};

static int read_format(struct wav *w, struct hd_slice chunk)
{
	const uint8_t *b = (const uint8_t *)chunk.ptr;
	unsigned bits;

	if (chunk.len < 16)
		return HD_EPARSE;
	w->format = get_le(b, 2);
	bits = get_le(b + 14, 2);
	if (get_le(b + 2, 2) != 1 || get_le(b + 4, 4) != RATE)
		return HD_EPARSE;
	if ((w->format == WAV_A_LAW || w->format == WAV_MU_LAW) && bits == 8)
		return 0;
	return w->format == WAV_PCM && bits == 16 ? 0 : HD_EPARSE;
}

static int read_wav(struct wav *w, struct hd_slice file)
{
	struct hd_slice chunk;
	size_t at = 12, size;
	int err;

	memset(w, 0, sizeof(*w));
	if (file.len < at || memcmp(file.ptr, "RIFF", 4) != 0 ||
	    memcmp(file.ptr + 8, "WAVE", 4) != 0)
		return HD_EPARSE;
	while (file.len - at >= 8) {
		const char *name = file.ptr + at;

		size = get_le((const uint8_t *)name + 4, 4);
		at += 8;
		/* A writer to a pipe does not know the length. */
		chunk = (struct hd_slice){ file.ptr + at,
					   size < file.len - at ? size : file.len - at };
		if (memcmp(name, "data", 4) == 0) {
			w->data = chunk;
			return w->format ? 0 : HD_EPARSE;
		}
		if (memcmp(name, "fmt ", 4) == 0) {
			err = read_format(w, chunk);
			if (err)
				return err;
		}
		at += chunk.len;
		if (chunk.len % 2 && at < file.len)
			at++;
	}
	return HD_EPARSE;
}

int hd_sound_parse(struct hd_sound **sp, struct hd_slice file)
{
	size_t width, n;
	struct hd_sound *s;
	const uint8_t *b;
	struct wav w;
	int err;

	err = read_wav(&w, file);
	if (err)
		return err;
	width = w.format == WAV_PCM ? 2 : 1;
	n = w.data.len / width;
	if (n > SAMPLES_MAX)
		return HD_ELIMIT;
	s = sound_alloc(n);
	if (!s)
		return HD_ENOMEM;
	b = (const uint8_t *)w.data.ptr;
	for (size_t i = 0; i < n; i++) {
		if (w.format == WAV_PCM)
			put(s, i, (int16_t)get_le(b + 2 * i, 2));
		else
			put(s, i, g711_decode(w.format == WAV_A_LAW ? HD_LAW_A : HD_LAW_MU, b[i]));
	}
	/* As it stands in the file: no octet may change by the way through linear. */
	if (w.format != WAV_PCM && n > 0)
		memcpy(s->octets[w.format == WAV_A_LAW ? HD_LAW_A : HD_LAW_MU], b, n);
	*sp = s;
	return 0;
}

int hd_sound_load(struct hd_sound **sp, const char *path)
{
	FILE *f = fopen(path, "rbe");
	struct hd_slice file;
	char *data;
	int err;

	if (!f)
		return errno == ENOENT || errno == ENOTDIR ? HD_ENOENT : HD_ESYSTEM;
	data = malloc(FILE_MAX);
	if (!data) {
		(void)fclose(f);
		return HD_ENOMEM;
	}
	file = (struct hd_slice){ data, fread(data, 1, FILE_MAX, f) };
	if (ferror(f))
		err = HD_ESYSTEM;
	else if (file.len == FILE_MAX)
		err = HD_ELIMIT;
	else
		err = hd_sound_parse(sp, file);
	(void)fclose(f);
	free(data);
	return err;
}

/* ---- notes ---------------------------------------------------------------------------------- */

static void put_note(struct hd_sound *s, size_t at, const struct hd_note *note, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t edge = i < n - 1 - i ? i : n - 1 - i;
		double loud = note->hz == 0 ? 0 : edge < FADE ? (double)edge / FADE : 1;

		put(s, at + i, (int16_t)(LOUD * loud * sin(two_pi * note->hz * (double)i / RATE)));
	}
}

int hd_sound_new(struct hd_sound **sp, const struct hd_note *notes, size_t n)
{
	struct hd_sound *s;
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += (size_t)notes[i].in_ms * (RATE / 1000);
	if (total > SAMPLES_MAX)
		return HD_EINVAL;
	s = sound_alloc(total);
	if (!s)
		return HD_ENOMEM;
	total = 0;
	for (size_t i = 0; i < n; i++) {
		put_note(s, total, &notes[i], (size_t)notes[i].in_ms * (RATE / 1000));
		total += (size_t)notes[i].in_ms * (RATE / 1000);
	}
	*sp = s;
	return 0;
}
