/* identity.c - whose request it is said to be (RFC 3325, RFC 3323); see proxy_priv.h. */
#include "proxy_priv.h"

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

int identity_assert(struct hd_proxy *proxy, struct forward *fwd,
		    const struct hd_proxy_target *target)
{
	struct hd_buf line = { 0 };
	int err;

	if (!target->emergency && is_private(fwd->msg)) {
		fwd->record.withheld = hd_target_is_name(&fwd->target);
		if (!fwd->record.withheld &&
		    !hd_target_is_trusted(proxy->options.agent, &fwd->target)) {
			strip(fwd->msg);
			return 0;
		}
	}
	if (!target->identity || hd_msg_header(fwd->msg, "P-Asserted-Identity", 0))
		return 0;
	hd_buf_addf(&line, "P-Asserted-Identity: %s", target->identity);
	err = hd_buf_error(&line);
	if (!err)
		err = hd_msg_add(fwd->msg, hd_buf_text(&line));
	hd_buf_fini(&line);
	return err;
}
