/* identity.c - whose request it is said to be (RFC 3325, RFC 3323); see proxy_priv.h. */
#include <string.h>

#include "alias.h"
#include "veil.h"

static void strip(struct hd_msg *msg)
{
	(void)hd_msg_remove(msg, "P-Asserted-Identity");
	(void)hd_msg_remove(msg, "Remote-Party-ID");
}

bool identity_clean(struct hd_proxy *proxy, struct hd_msg *copy, const struct hd_msg *received)
{
	(void)hd_msg_remove(copy, "P-Preferred-Identity"); /* 9.2 */
	if (hd_msg_is_trusted(proxy->options.agent, received))
		return true;
	strip(copy);
	return false;
}

/* Who asks to be hidden as a user has not asked to be named by us instead. */
static bool is_private(struct hd_msg *msg)
{
	return hd_msg_privacy(msg) & (HD_PRIVACY_ID | HD_PRIVACY_USER);
}

void identity_withhold(struct hd_msg *copy, bool trusted)
{
	if (!trusted && is_private(copy)) /* 7 */
		strip(copy);
}

static int add_asserted(struct hd_msg *msg, const char *identity)
{
	struct hd_buf line = { 0 };
	int err;

	hd_buf_addf(&line, "P-Asserted-Identity: %s", identity);
	err = hd_buf_error(&line);
	if (!err)
		err = hd_msg_add(msg, hd_buf_text(&line));
	hd_buf_fini(&line);
	return err;
}

/*
 * Which phone it is may not be read of what a callee gets back to us. RFC 3261 16.6 lets no proxy
 * touch Contact, no more than From.
 */
static int veil(struct hd_proxy *proxy, struct hd_msg *msg, struct record *record)
{
	if (!proxy->options.limits.rewrites_from)
		return 0;
	record->token.caller_private = true;
	return veil_contact(proxy, msg);
}

int identity_at_hop(struct hd_proxy *proxy, struct hd_msg *msg, struct record *record,
		    const struct hd_flow *hop)
{
	if (!record->withheld || hd_flow_is_trusted(proxy->options.agent, hop))
		return 0;
	identity_withhold(msg, false);
	return veil(proxy, msg, record);
}

int identity_assert(struct hd_proxy *proxy, struct forward *fwd,
		    const struct hd_proxy_target *target)
{
	int err;

	if (!target->emergency && hd_msg_privacy(fwd->msg)) {
		fwd->record.withheld = hd_target_is_name(&fwd->target);
		if (!fwd->record.withheld &&
		    !hd_target_is_trusted(proxy->options.agent, &fwd->target)) {
			err = veil(proxy, fwd->msg, &fwd->record);
			if (err || is_private(fwd->msg)) {
				strip(fwd->msg);
				return err;
			}
		}
	}
	if (!target->identity || !proxy->options.limits.asserts_identity ||
	    hd_msg_header(fwd->msg, "P-Asserted-Identity", 0))
		return 0;
	return add_asserted(fwd->msg, target->identity);
}

/* ---- Diversion (RFC 5806), History-Info (RFC 7044) ------------------------------------------- */

bool identity_is_believed(struct hd_proxy *proxy, const struct hd_msg *received,
			  const struct hd_proxy_target *target)
{
	return !target->caller || hd_msg_is_trusted(proxy->options.agent, received);
}

void identity_clean_diversion(struct hd_proxy *proxy, struct hd_msg *copy,
			      const struct hd_msg *received, const struct hd_proxy_target *target)
{
	if ((target->phone && *target->phone) || identity_is_believed(proxy, received, target))
		return;
	(void)hd_msg_remove(copy, "Diversion");
	(void)hd_msg_remove(copy, "History-Info");
}

/* ---- From ----------------------------------------------------------------------------------- */

static const char anonymous[] = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

static bool is_anonymous(const struct hd_msg *msg)
{
	struct hd_uri uri;

	hd_msg_from_uri(msg, &uri);
	return hd_slice_caseis(uri.host, "anonymous.invalid");
}

static const char *shown_name(struct forward *fwd, const struct hd_proxy_target *target)
{
	const char *uri = strchr(target->identity, '<');

	if (!target->emergency && is_private(fwd->msg))
		return anonymous;
	/* A name of a hundred characters is left out before the number is. */
	return strlen(target->identity) < ALIAS_PARTY_SIZE || !uri ? target->identity : uri;
}

int identity_rename(struct hd_proxy *proxy, struct forward *fwd, struct hd_msg *received,
		    const struct hd_proxy_target *target)
{
	struct alias alias;
	const char *shown;
	int err;

	/* A trusted one that names somebody has said it by itself. */
	if (!proxy->options.limits.rewrites_from || !target->identity ||
	    !hd_msg_from_tag(received)[0] || (is_anonymous(received) && !target->emergency) ||
	    (hd_msg_is_trusted(proxy->options.agent, received) &&
	     hd_msg_header(received, "P-Asserted-Identity", 0)))
		return 0;
	shown = shown_name(fwd, target);
	if (hd_msg_party_is(received, false, shown))
		return 0;
	err = hd_msg_set_party(fwd->msg, false, shown);
	if (!err)
		err = alias_read(&alias, received, fwd->msg);
	fwd->record.renamed = !err;
	return err;
}
