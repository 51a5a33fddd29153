/* summary.c - see hotdesk/summary.h. */
#include <string.h>

#include "hotdesk/base/record.h"
#include "hotdesk/base/uri.h"
#include "hotdesk/summary.h"

#include "settings_priv.h"

enum { SUMMARY_VERSION = 1, RECORD_MAX = 256, COUNT_MAX = 1000000000 };
enum { FLAG_GIVEN = 1, FLAG_URGENT = 2 };

static const char *const classes[HD_SUMMARY_CLASSES] = {
	"Voice-Message", "Fax-Message", "Pager-Message", "Multimedia-Message", "Text-Message",
};

/* ---- text ----------------------------------------------------------------------------------- */

/* What stands before a character; the rest stays. Without it: all, and nothing stays. */
static struct hd_slice take(struct hd_slice *rest, char end)
{
	const char *found = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;
	struct hd_slice part = { rest->ptr, found ? (size_t)(found - rest->ptr) : rest->len };

	rest->ptr += part.len + (found ? 1 : 0);
	rest->len -= part.len + (found ? 1 : 0);
	return part;
}

/* "2/8" */
static int pair_parse(uint32_t *freshp, uint32_t *oldp, struct hd_slice text)
{
	uint64_t fresh = 0, old = 0;
	int err;

	err = hd_u64_parse(&fresh, hd_slice_trim(take(&text, '/')), COUNT_MAX);
	if (!err)
		err = hd_u64_parse(&old, hd_slice_trim(text), COUNT_MAX);
	*freshp = (uint32_t)fresh;
	*oldp = (uint32_t)old;
	return err ? HD_EPARSE : 0;
}

/* "2/8 (0/2)" */
static int count_parse(struct hd_summary_count *count, struct hd_slice text)
{
	struct hd_slice all = take(&text, '(');
	int err;

	count->given = true;
	err = pair_parse(&count->fresh, &count->old, all);
	if (err || !text.len)
		return err;
	count->urgent_given = true;
	if (text.ptr[text.len - 1] != ')')
		return HD_EPARSE;
	text.len--;
	return pair_parse(&count->urgent_fresh, &count->urgent_old, text);
}

/* Another host's account is called through us: its number counts. */
static void account_take(struct hd_summary *summary, struct hd_slice value)
{
	char text[2 * HD_SUMMARY_ACCOUNT_SIZE + 256];
	struct hd_uri uri;

	summary->account[0] = '\0';
	if (hd_str_copy(text, sizeof(text), value) || hd_uri_parse(&uri, hd_slice_of(text)) ||
	    uri.scheme > HD_URI_SIPS || !uri.user.len ||
	    hd_uri_unescape(summary->account, sizeof(summary->account), uri.user) ||
	    !hd_phone_id_is_valid(hd_slice_of(summary->account[0] == '+' ? summary->account + 1
									 : summary->account)))
		summary->account[0] = '\0';
}

static int line_take(struct hd_summary *summary, struct hd_slice line, bool first)
{
	struct hd_slice name = hd_slice_trim(take(&line, ':'));

	line = hd_slice_trim(line);
	if (first) {
		summary->waiting = hd_slice_caseis(line, "yes");
		return hd_slice_caseis(name, "Messages-Waiting") &&
				       (summary->waiting || hd_slice_caseis(line, "no"))
			       ? 0
			       : HD_EPARSE;
	}
	if (hd_slice_caseis(name, "Message-Account"))
		account_take(summary, line);
	for (size_t i = 0; i < HD_SUMMARY_CLASSES; i++)
		if (hd_slice_caseis(name, classes[i]))
			return count_parse(&summary->counts[i], line);
	return 0;
}

int hd_summary_parse(struct hd_summary *summary, struct hd_slice body)
{
	bool first = true;
	int err = 0;

	memset(summary, 0, sizeof(*summary));
	if (body.len > HD_SUMMARY_BODY_MAX)
		return HD_ELIMIT;
	while (!err && body.len) {
		struct hd_slice line = hd_slice_trim(take(&body, '\n'));

		/* An empty line, and what tells of single messages begins. */
		if (!line.len && !first)
			break;
		if (!line.len)
			continue;
		err = line_take(summary, line, first);
		first = false;
	}
	return !err && first ? HD_EPARSE : err;
}

void hd_summary_format(struct hd_buf *out, const struct hd_summary *summary, const char *domain)
{
	hd_buf_addf(out, "Messages-Waiting: %s\r\n", summary->waiting ? "yes" : "no");
	if (summary->account[0]) {
		hd_buf_adds(out, "Message-Account: sip:");
		hd_uri_escape_user(out, hd_slice_of(summary->account));
		hd_buf_addf(out, "@%s\r\n", domain);
	}
	for (size_t i = 0; i < HD_SUMMARY_CLASSES; i++) {
		const struct hd_summary_count *c = &summary->counts[i];

		if (!c->given)
			continue;
		hd_buf_addf(out, "%s: %u/%u", classes[i], c->fresh, c->old);
		if (c->urgent_given)
			hd_buf_addf(out, " (%u/%u)", c->urgent_fresh, c->urgent_old);
		hd_buf_adds(out, "\r\n");
	}
}

bool hd_summary_eq(const struct hd_summary *a, const struct hd_summary *b)
{
	bool eq = a->waiting == b->waiting && strcmp(a->account, b->account) == 0;

	for (size_t i = 0; eq && i < HD_SUMMARY_CLASSES; i++) {
		const struct hd_summary_count *x = &a->counts[i], *y = &b->counts[i];

		eq = x->given == y->given && x->urgent_given == y->urgent_given &&
		     x->fresh == y->fresh && x->old == y->old &&
		     x->urgent_fresh == y->urgent_fresh && x->urgent_old == y->urgent_old;
	}
	return eq;
}

/* ---- records -------------------------------------------------------------------------------- */

int hd_summary_get(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
		   struct hd_summary *summary)
{
	struct hd_slice value;
	struct hd_decoder d;
	uint8_t flags;
	int err;

	if (!s || !txn || !summary)
		return HD_EINVAL;
	memset(summary, 0, sizeof(*summary));
	if (!hd_number_is_valid(hd_slice_of(number)))
		return HD_ENOENT;
	err = hd_txn_get(txn, s->summaries, hd_slice_of(number), &value);
	if (err)
		return err;
	hd_decoder_init(&d, value, SUMMARY_VERSION);
	summary->waiting = hd_decode_u8(&d) != 0;
	hd_decode_str(&d, summary->account, sizeof(summary->account));
	for (size_t i = 0; i < HD_SUMMARY_CLASSES; i++) {
		struct hd_summary_count *c = &summary->counts[i];

		flags = hd_decode_u8(&d);
		c->given = flags & FLAG_GIVEN;
		c->urgent_given = flags & FLAG_URGENT;
		c->fresh = hd_decode_u32(&d);
		c->old = hd_decode_u32(&d);
		c->urgent_fresh = hd_decode_u32(&d);
		c->urgent_old = hd_decode_u32(&d);
	}
	return hd_decoder_finish(&d);
}

int hd_summary_put(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
		   const struct hd_summary *summary)
{
	uint8_t buf[RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice value;
	int err;

	if (!s || !txn || !summary || !hd_number_is_valid(hd_slice_of(number)))
		return HD_EINVAL;
	hd_encoder_init(&e, buf, sizeof(buf), SUMMARY_VERSION);
	hd_encode_u8(&e, summary->waiting);
	hd_encode_str(&e, summary->account);
	for (size_t i = 0; i < HD_SUMMARY_CLASSES; i++) {
		const struct hd_summary_count *c = &summary->counts[i];

		hd_encode_u8(&e, (uint8_t)((c->given ? FLAG_GIVEN : 0) |
					   (c->urgent_given ? FLAG_URGENT : 0)));
		hd_encode_u32(&e, c->fresh);
		hd_encode_u32(&e, c->old);
		hd_encode_u32(&e, c->urgent_fresh);
		hd_encode_u32(&e, c->urgent_old);
	}
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, s->summaries, hd_slice_of(number), value);
}
