/* user_settings.c - what a user has set, and the PIN for hoteling, beside the user's record. */
#include <string.h>

#include "admin_priv.h"

static const char *const forward_fields[HD_FORWARD_COUNT] = {
	"forward_always",
	"forward_busy",
	"forward_no_answer",
	"forward_not_logged_in",
};

size_t settings_fields(struct hd_json_field fields[SETTINGS_FIELDS], struct settings_given *g)
{
	size_t n = 0;

	fields[n++] = (struct hd_json_field){ "hoteling", HD_JSON_BOOL, &g->hoteling,	 0,
					      false,	  false,	&g->has_hoteling };
	fields[n++] = (struct hd_json_field){ "dnd", HD_JSON_BOOL, &g->dnd,    0,
					      false, false,	   &g->has_dnd };
	for (size_t i = 0; i < HD_FORWARD_COUNT; i++)
		fields[n++] = (struct hd_json_field){
			forward_fields[i],     HD_JSON_TEXT, g->forward[i],
			sizeof(g->forward[i]), false,	     true,
			&g->has_forward[i],
		};
	fields[n++] = (struct hd_json_field){ "rings", HD_JSON_TEXT, g->rings,	   sizeof(g->rings),
					      false,   false,	     &g->has_rings };
	fields[n++] = (struct hd_json_field){
		"upstream_user", HD_JSON_TEXT, g->account.user,	     sizeof(g->account.user),
		false,		 true,	       &g->has_account_user,
	};
	fields[n++] = (struct hd_json_field){
		"upstream_password",	   HD_JSON_TEXT, g->account.secret,
		sizeof(g->account.secret), false,	 false,
		&g->has_account_secret,
	};
	return n;
}

static bool is_given(const struct settings_given *g)
{
	bool given = g->has_dnd || g->has_rings;

	for (size_t i = 0; i < HD_FORWARD_COUNT; i++)
		given = given || g->has_forward[i];
	return given;
}

static int merge(struct hd_settings *to, const struct settings_given *g)
{
	uint64_t rings = to->rings;

	if (g->has_dnd)
		to->dnd = g->dnd;
	for (size_t i = 0; i < HD_FORWARD_COUNT; i++) {
		if (!g->has_forward[i])
			continue;
		to->forward[i].active = g->forward[i][0] != '\0';
		if (g->forward[i][0])
			memcpy(to->forward[i].to, g->forward[i], sizeof(to->forward[i].to));
	}
	if (g->has_rings && hd_u64_parse(&rings, hd_slice_of(g->rings), HD_RINGS_MAX))
		return HD_EINVAL;
	to->rings = (uint8_t)rings;
	return 0;
}

/* A PIN that is taken away is not kept either; one that is not given stays. */
static int keep_pin(struct hd_txn *txn, struct hd_settings_store *store, const char *number,
		    bool hoteling, const char *pin)
{
	int err = 0;

	if (pin && !*pin)
		err = hd_settings_put_hoteling(store, txn, number, false, hd_slice_of(NULL));
	return err ? err : hd_settings_put_hoteling(store, txn, number, hoteling, hd_slice_of(pin));
}

int settings_write(struct hd_txn *txn, struct admin_op *op, const char *number,
		   const struct settings_given *g, const char *pin)
{
	struct hd_settings_store *store = op->admin->o.settings;
	struct hd_settings settings;
	int err;

	err = hd_settings_get(store, txn, number, &settings);
	if (err && err != HD_ECORRUPT)
		return err;
	if (g->has_hoteling || (pin && settings.hoteling)) {
		err = keep_pin(txn, store, number,
			       g->has_hoteling ? g->hoteling : settings.hoteling, pin);
		if (err)
			return err;
	}
	if (g->has_account_user || g->has_account_secret) {
		err = account_write(txn, op->admin, HD_ACCOUNT_OF_USER, number,
				    g->has_account_user ? g->account.user : NULL,
				    g->has_account_secret ? g->account.secret : NULL);
		if (err)
			return err;
	}
	if (!is_given(g))
		return 0;
	err = merge(&settings, g);
	if (!err)
		err = hd_settings_put(store, txn, number, &settings);
	return err ? err : tell_user(txn, op, number);
}

int show_settings(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, const char *number)
{
	struct hd_account account;
	struct hd_settings st;
	int err;

	err = hd_settings_get(admin->o.settings, txn, number, &st);
	if (err && err != HD_ECORRUPT)
		return err;
	hd_json_bool(j, "hoteling", st.hoteling);
	hd_json_bool(j, "hoteling_ready", st.has_pin);
	hd_json_bool(j, "dnd", st.dnd);
	for (size_t i = 0; i < HD_FORWARD_COUNT; i++)
		hd_json_str(j, forward_fields[i], st.forward[i].active ? st.forward[i].to : NULL);
	hd_json_uint(j, "rings", st.rings);
	err = hd_accounts_get(admin->o.accounts, txn, HD_ACCOUNT_OF_USER, number, &account);
	hd_json_str(j, "upstream_user", err ? NULL : account.user);
	hd_wipe(&account, sizeof(account));
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}
