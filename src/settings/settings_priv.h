/* settings_priv.h - inside of settings/. */
#ifndef SETTINGS_PRIV_H
#define SETTINGS_PRIV_H

#include "hotdesk/base/secret.h"
#include "hotdesk/settings.h"

struct hd_settings_store {
	unsigned table, summaries;
	struct hd_key seal;
};

#endif
