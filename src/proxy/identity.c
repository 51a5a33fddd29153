/* identity.c - whose request it is said to be (RFC 3325, RFC 3323); see proxy_priv.h. */
#include "proxy_priv.h"

void identity_clean(struct hd_proxy *proxy, struct hd_msg *copy, const struct hd_msg *received)
{
	(void)hd_msg_remove(copy, "P-Preferred-Identity"); /* 9.2 */
	if (hd_msg_is_trusted(proxy->options.agent, received))
		return;
	(void)hd_msg_remove(copy, "P-Asserted-Identity");
	(void)hd_msg_remove(copy, "Remote-Party-ID");
}

int identity_assert(struct hd_proxy *proxy, struct hd_msg *copy, const struct hd_target *target,
		    const char *identity)
{
	struct hd_buf line = { 0 };
	int err;

	if (hd_msg_has_privacy(copy, "id") && !hd_target_is_trusted(proxy->options.agent, target)) {
		(void)hd_msg_remove(copy, "P-Asserted-Identity"); /* 7 */
		(void)hd_msg_remove(copy, "Remote-Party-ID");
		return 0;
	}
	if (!identity || hd_msg_header(copy, "P-Asserted-Identity", 0))
		return 0;
	hd_buf_addf(&line, "P-Asserted-Identity: <%s>", identity);
	err = hd_buf_error(&line);
	if (!err)
		err = hd_msg_add(copy, hd_buf_text(&line));
	hd_buf_fini(&line);
	return err;
}
