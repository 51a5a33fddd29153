/* change.c - one thing that a user changes; see hotdesk/settings.h. */
#include <string.h>

#include "hotdesk/settings.h"

static int change_forward(const struct hd_settings_change *c, struct hd_settings *st)
{
	struct hd_forward *f = &st->forward[c->when];

	f->active = c->on == HD_CHANGE_ON || (c->on == HD_CHANGE_TOGGLE && !f->active);
	if (!f->active)
		return 0;
	if (c->to[0])
		memcpy(f->to, c->to, sizeof(f->to));
	else if (!f->to[0])
		memcpy(f->to, HD_FORWARD_VOICEMAIL, sizeof(HD_FORWARD_VOICEMAIL));
	return f->to[0] && (c->has_voicemail || strcmp(f->to, HD_FORWARD_VOICEMAIL) != 0)
		       ? 0
		       : HD_EINVAL;
}

static int apply(const struct hd_settings_change *c, struct hd_settings *st)
{
	switch (c->what) {
	case HD_CHANGE_DND:
		st->dnd = c->on == HD_CHANGE_ON || (c->on == HD_CHANGE_TOGGLE && !st->dnd);
		return 0;
	case HD_CHANGE_FORWARD:
		return c->when < HD_FORWARD_COUNT ? change_forward(c, st) : HD_EINVAL;
	case HD_CHANGE_RINGS:
		st->rings = c->rings;
		return 0;
	default:
		return HD_EINVAL;
	}
}

int hd_settings_change(struct hd_settings_store *s, struct hd_txn *txn, const char *number,
		       const struct hd_settings_change *change, struct hd_settings *after)
{
	int err;

	if (!s || !txn || !number || !change || !after)
		return HD_EINVAL;
	err = hd_settings_get(s, txn, number, after);
	if (err == HD_ECORRUPT)
		hd_settings_standard(after);
	else if (err)
		return err;
	err = apply(change, after);
	return err ? err : hd_settings_put(s, txn, number, after);
}

static bool is_on(const struct hd_settings_change *c, const struct hd_settings *after)
{
	if (!after)
		return c->on != HD_CHANGE_OFF;
	return c->what == HD_CHANGE_DND ? after->dnd : after->forward[c->when].active;
}

void hd_settings_change_describe(struct hd_buf *out, const struct hd_settings_change *c,
				 const struct hd_settings *after)
{
	if (c->what == HD_CHANGE_RINGS)
		hd_buf_addf(out, "%u rings", c->rings);
	else if (c->what == HD_CHANGE_DND)
		hd_buf_adds(out, "do not disturb");
	else
		hd_buf_addf(out, "forward %s", hd_forward_name(c->when));
	if (c->what != HD_CHANGE_RINGS)
		hd_buf_adds(out, is_on(c, after) ? " on" : " off");
}

const char *hd_settings_change_target(const struct hd_settings_change *c,
				      const struct hd_settings *after)
{
	return c->what == HD_CHANGE_FORWARD && after->forward[c->when].active
		       ? after->forward[c->when].to
		       : "";
}
