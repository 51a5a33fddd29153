/* binding.c - bindings: which phones can be reached, and where. */
#include "ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "PHONE", "phone" }, { "CONTACT", "contact" },	 { "EXPIRES", "expires_at" },
	{ "FLOW", "flow" },   { "AGENT", "user_agent" },
};

enum ctl_exit ctl_binding_list(struct ctl *ctl)
{
	return ctl_list(ctl, "/v1/bindings?limit=1000&after=", "bindings", columns,
			sizeof(columns) / sizeof(columns[0]));
}
