/* binding.c - bindings as values: stored form, equality, order. */
#include <string.h>

#include "hotdesk/base/uri.h"

#include "location_priv.h"

enum { BINDING_Q_GIVEN = 1 };

static void encode_one(struct hd_encoder *e, const struct hd_binding *b)
{
	hd_encode_u8(e, b->q_given ? BINDING_Q_GIVEN : 0);
	hd_encode_u16(e, b->q_permille);
	hd_encode_u32(e, b->cseq);
	hd_encode_u32(e, b->reg_id);
	hd_encode_i64(e, b->expires_at_ms);
	hd_encode_i64(e, b->registered_at_ms);
	hd_encode_str(e, b->contact_uri);
	hd_encode_str(e, b->contact_params);
	hd_encode_str(e, b->call_id);
	hd_encode_str(e, b->flow);
	hd_encode_str(e, b->instance_id);
	hd_encode_str(e, b->user_agent);
	hd_encode_str(e, b->path);
}

static void decode_one(struct hd_decoder *d, struct hd_binding *b)
{
	b->q_given = (hd_decode_u8(d) & BINDING_Q_GIVEN) != 0;
	b->q_permille = hd_decode_u16(d);
	b->cseq = hd_decode_u32(d);
	b->reg_id = hd_decode_u32(d);
	b->expires_at_ms = hd_decode_i64(d);
	b->registered_at_ms = hd_decode_i64(d);
	hd_decode_str(d, b->contact_uri, sizeof(b->contact_uri));
	hd_decode_str(d, b->contact_params, sizeof(b->contact_params));
	hd_decode_str(d, b->call_id, sizeof(b->call_id));
	hd_decode_str(d, b->flow, sizeof(b->flow));
	hd_decode_str(d, b->instance_id, sizeof(b->instance_id));
	hd_decode_str(d, b->user_agent, sizeof(b->user_agent));
	hd_decode_str(d, b->path, sizeof(b->path));
}

int hd_binding_list_encode(struct hd_encoder *e, const struct hd_binding_list *list,
			   struct hd_slice *out)
{
	hd_encode_u8(e, (uint8_t)list->n);
	for (size_t i = 0; i < list->n; i++)
		encode_one(e, &list->items[i]);
	return hd_encoder_finish(e, out);
}

int hd_binding_list_decode(struct hd_binding_list *list, struct hd_slice record)
{
	struct hd_decoder d;
	size_t n;

	list->n = 0;
	list->earliest_ms = 0;
	list->expired = 0;
	hd_decoder_init(&d, record, HD_BINDING_VERSION);
	n = hd_decode_u8(&d);
	if (n > HD_BINDINGS_MAX)
		return HD_ECORRUPT;

	for (size_t i = 0; i < n && list->n < list->room && !d.err; i++) {
		struct hd_binding *b = &list->items[list->n];

		decode_one(&d, b);
		if (!d.err && (!b->contact_uri[0] || b->expires_at_ms <= 0))
			return HD_ECORRUPT;
		if (list->earliest_ms == 0 || b->expires_at_ms < list->earliest_ms)
			list->earliest_ms = b->expires_at_ms;
		if (b->expires_at_ms <= list->now_ms)
			list->expired++;
		else
			list->n++;
	}
	return hd_decoder_finish(&d);
}

static bool comes_before(const struct hd_binding *a, const struct hd_binding *b)
{
	if (a->q_permille != b->q_permille)
		return a->q_permille > b->q_permille;
	return a->registered_at_ms > b->registered_at_ms;
}

/* By insertion and stable: equal ones keep the order of the request. */
void hd_binding_list_sort(struct hd_binding_list *list)
{
	struct hd_binding item;

	for (size_t i = 1; i < list->n; i++) {
		size_t j = i;

		while (j > 0 && comes_before(&list->items[i], &list->items[j - 1]))
			j--;
		if (j == i)
			continue;
		item = list->items[i];
		memmove(&list->items[j + 1], &list->items[j], (i - j) * sizeof(item));
		list->items[j] = item;
	}
}

void hd_binding_list_remove(struct hd_binding_list *list, size_t i)
{
	list->n--;
	memmove(&list->items[i], &list->items[i + 1], (list->n - i) * sizeof(list->items[0]));
}

bool hd_binding_has_uri_of(const struct hd_binding *a, const struct hd_binding *b)
{
	struct hd_slice text_a = hd_slice_of(a->contact_uri), text_b = hd_slice_of(b->contact_uri);
	struct hd_uri uri_a, uri_b;

	if (hd_slice_eq(text_a, text_b))
		return true;
	if (hd_uri_parse(&uri_a, text_a) || hd_uri_parse(&uri_b, text_b) ||
	    uri_a.scheme == HD_URI_OTHER || uri_b.scheme == HD_URI_OTHER)
		return false;
	return hd_uri_eq(&uri_a, &uri_b);
}

bool hd_binding_matches(const struct hd_binding *a, const struct hd_binding *b)
{
	if (a->instance_id[0] && a->reg_id > 0 && b->instance_id[0] && b->reg_id > 0)
		return a->reg_id == b->reg_id && strcmp(a->instance_id, b->instance_id) == 0;
	return hd_binding_has_uri_of(a, b);
}

bool hd_binding_is_refresh(const struct hd_binding *a, const struct hd_binding *b)
{
	return a->q_permille == b->q_permille && a->q_given == b->q_given &&
	       a->reg_id == b->reg_id && strcmp(a->contact_uri, b->contact_uri) == 0 &&
	       strcmp(a->contact_params, b->contact_params) == 0 && strcmp(a->flow, b->flow) == 0 &&
	       strcmp(a->instance_id, b->instance_id) == 0 &&
	       strcmp(a->user_agent, b->user_agent) == 0 && strcmp(a->path, b->path) == 0;
}

const struct hd_binding *hd_binding_moved(const struct hd_binding *bindings, size_t n,
					  const char *contact_uri, int64_t since_ms)
{
	const struct hd_binding *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct hd_binding *b = &bindings[i];

		if (*b->path)
			continue;
		if (strcmp(b->contact_uri, contact_uri) == 0)
			return b;
		if (b->registered_at_ms >= since_ms &&
		    (!best || b->registered_at_ms > best->registered_at_ms))
			best = b;
	}
	return best;
}
