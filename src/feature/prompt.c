/* prompt.c - see prompt.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hotdesk/base/log.h"
#include "prompt.h"

enum { LANGUAGES_MAX = 16, NOTES_MAX = 4 };

struct language {
	char tag[HD_LANGUAGE_SIZE];
	struct hd_sound *sounds[PROMPT_COUNT]; /* NULL: no file */
};

struct hd_prompts {
	unsigned refs; /* SIP thread */
	struct language languages[LANGUAGES_MAX];
	size_t n;
	struct hd_sound *tones[PROMPT_COUNT];
};

static const char *const names[PROMPT_COUNT] = {
#define PROMPT_NAME(n, s) [PROMPT_##n] = (s),
	PROMPT_LIST(PROMPT_NAME)
#undef PROMPT_NAME
};

/* One beep asks for the number and two for the PIN; up is good, down is not. */
static const struct hd_note tones[PROMPT_COUNT][NOTES_MAX] = {
	[PROMPT_NUMBER] = { { 440, 300 } },
	[PROMPT_PIN] = { { 440, 150 }, { 0, 100 }, { 440, 150 } },
	[PROMPT_REMINDER] = { { 440, 100 }, { 0, 100 }, { 330, 100 }, { 0, 200 } },
	[PROMPT_LOGGED_IN] = { { 440, 150 }, { 554, 150 }, { 659, 300 } },
	[PROMPT_MOVED] = { { 0, 100 } },
	[PROMPT_REPLACED] = { { 0, 100 } },
	[PROMPT_LOGGED_OUT] = { { 659, 150 }, { 554, 150 }, { 440, 300 } },
	[PROMPT_NOBODY] = { { 440, 150 }, { 0, 100 }, { 440, 300 } },
	[PROMPT_REFUSED] = { { 330, 300 }, { 0, 100 }, { 247, 500 } },
	[PROMPT_NOT_NOW] = { { 480, 250 }, { 0, 250 }, { 480, 250 } },
	[PROMPT_GOODBYE] = { { 0, 200 } },
};

static int make_tones(struct hd_prompts *p)
{
	size_t n;
	int err = 0;

	for (size_t i = 0; i < PROMPT_COUNT && !err; i++) {
		for (n = 0; n < NOTES_MAX && tones[i][n].in_ms > 0; n++)
			;
		err = hd_sound_new(&p->tones[i], tones[i], n);
	}
	return err;
}

static void load_language(struct hd_prompts *p, const char *directory, const char *tag)
{
	struct language *l = &p->languages[p->n];
	char path[1024];
	size_t loaded = 0;
	int err;

	if (hd_str_set(l->tag, sizeof(l->tag), tag))
		return;
	for (size_t i = 0; i < PROMPT_COUNT; i++) {
		err = snprintf(path, sizeof(path), "%s/%s/%s.wav", directory, tag, names[i]);
		if (err < 0 || (size_t)err >= sizeof(path))
			return;
		err = hd_sound_load(&l->sounds[i], path);
		if (err)
			hd_warn("feature", "%s: %s: a tone in its place", path, hd_strerror(err));
		else
			loaded++;
	}
	if (loaded > 0)
		p->n++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_tag(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n >= 2 && n < HD_LANGUAGE_SIZE && entry->d_name[0] != '.';
}

int hd_prompts_load(struct hd_prompts **pp, const char *directory)
{
	struct hd_prompts *p = calloc(1, sizeof(*p));
	struct dirent **entries = NULL;
	int n;

	if (!p)
		return HD_ENOMEM;
	p->refs = 1;
	if (make_tones(p)) {
		hd_prompts_unref(p);
		return HD_ENOMEM;
	}
	n = scandir(directory, &entries, is_tag, by_name);
	for (int i = 0; i < n; i++) {
		if (p->n < LANGUAGES_MAX)
			load_language(p, directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (p->n == 0)
		hd_warn("feature", "%s: no prompts: tones in their place", directory);
	*pp = p;
	return 0;
}

struct hd_prompts *prompts_ref(struct hd_prompts *p)
{
	p->refs++;
	return p;
}

void hd_prompts_unref(struct hd_prompts *p)
{
	if (!p || --p->refs > 0)
		return;
	for (size_t i = 0; i < PROMPT_COUNT; i++) {
		hd_sound_free(p->tones[i]);
		for (size_t l = 0; l < LANGUAGES_MAX; l++)
			hd_sound_free(p->languages[l].sounds[i]);
	}
	free(p);
}

static size_t primary(const char *tag)
{
	return strcspn(tag, "-_");
}

/* The whole tag, else its first part: de for de-AT, pt-BR for pt. */
static const struct language *find(const struct hd_prompts *p, const char *tag)
{
	size_t n = primary(tag);

	if (n == 0)
		return NULL;
	for (size_t i = 0; i < p->n; i++)
		if (strcasecmp(p->languages[i].tag, tag) == 0)
			return &p->languages[i];
	for (size_t i = 0; i < p->n; i++)
		if (primary(p->languages[i].tag) == n &&
		    strncasecmp(p->languages[i].tag, tag, n) == 0)
			return &p->languages[i];
	return NULL;
}

bool prompts_has(const struct hd_prompts *p, const char *language)
{
	return language && find(p, language) != NULL;
}

const struct hd_sound *prompts_get(const struct hd_prompts *p, const char *language,
				   enum prompt which)
{
	const struct language *l = language ? find(p, language) : NULL;

	if (!l)
		l = find(p, "en");
	return l && l->sounds[which] ? l->sounds[which] : p->tones[which];
}
