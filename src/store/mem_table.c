/* mem_table.c - see mem_table.h. */
#include "mem_table.h"

#include <stdlib.h>
#include <string.h>

struct hd_slice hd_mem_record_key(const struct mem_record *r)
{
	return (struct hd_slice){ r->bytes, r->key_len };
}

struct hd_slice hd_mem_record_value(const struct mem_record *r)
{
	return (struct hd_slice){ r->bytes + r->key_len, r->value_len };
}

static struct mem_record *record_new(struct hd_slice key, struct hd_slice value)
{
	struct mem_record *r = malloc(sizeof(*r) + key.len + value.len);

	if (!r)
		return NULL;
	r->refs = 1;
	r->key_len = key.len;
	r->value_len = value.len;
	memcpy(r->bytes, key.ptr, key.len);
	memcpy(r->bytes + key.len, value.ptr, value.len);
	return r;
}

static void record_unref(struct mem_record *r)
{
	if (--r->refs == 0)
		free(r);
}

struct mem_table *hd_mem_table_new(void)
{
	struct mem_table *t = calloc(1, sizeof(*t));

	if (t)
		t->refs = 1;
	return t;
}

struct mem_table *hd_mem_table_dup(const struct mem_table *t)
{
	struct mem_table *copy = hd_mem_table_new();

	if (!copy)
		return NULL;
	copy->size = t->n + 16;
	copy->records = calloc(copy->size, sizeof(*copy->records));
	if (!copy->records) {
		free(copy);
		return NULL;
	}
	copy->n = t->n;
	copy->bytes = t->bytes;
	for (size_t i = 0; i < t->n; i++) {
		copy->records[i] = t->records[i];
		copy->records[i]->refs++;
	}
	return copy;
}

void hd_mem_table_unref(struct mem_table *t)
{
	if (!t || --t->refs > 0)
		return;
	for (size_t i = 0; i < t->n; i++)
		record_unref(t->records[i]);
	free(t->records);
	free(t);
}

static int compare(struct hd_slice a, struct hd_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int diff = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

	if (diff != 0)
		return diff;
	return a.len < b.len ? -1 : a.len > b.len;
}

size_t hd_mem_table_find(const struct mem_table *t, struct hd_slice key, bool *foundp)
{
	size_t low = 0;
	size_t high = t->n;

	*foundp = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int diff = compare(hd_mem_record_key(t->records[middle]), key);

		if (diff == 0) {
			*foundp = true;
			return middle;
		}
		if (diff < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct mem_table *t)
{
	size_t size = t->size * 2 + 16;
	struct mem_record **records;

	if (t->n < t->size)
		return 0;
	records = realloc(t->records, size * sizeof(*records));
	if (!records)
		return HD_ENOMEM;
	t->records = records;
	t->size = size;
	return 0;
}

int hd_mem_table_put(struct mem_table *t, struct hd_slice key, struct hd_slice value)
{
	struct mem_record *r;
	bool found;
	size_t at;
	int err;

	err = make_room(t);
	if (err)
		return err;
	r = record_new(key, value);
	if (!r)
		return HD_ENOMEM;
	at = hd_mem_table_find(t, key, &found);
	if (found)
		hd_mem_table_remove(t, at);
	memmove(t->records + at + 1, t->records + at, (t->n - at) * sizeof(*t->records));
	t->records[at] = r;
	t->n++;
	t->bytes += key.len + value.len;
	return 0;
}

void hd_mem_table_remove(struct mem_table *t, size_t at)
{
	struct mem_record *r = t->records[at];

	t->bytes -= r->key_len + r->value_len;
	t->n--;
	memmove(t->records + at, t->records + at + 1, (t->n - at) * sizeof(*t->records));
	record_unref(r);
}
