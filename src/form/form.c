/* form.c - see form.h: from a request to a page, or to an operation and then to its result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

enum { ADDRESS_SIZE = 96, PIN_MAX = 64 };

static struct hd_metric shown = HD_COUNTER("hotdeskd_forms", "page=\"form\"", "pages to phones");
static struct hd_metric results =
	HD_COUNTER("hotdeskd_forms", "page=\"result\"", "pages to phones");

/* A request while its operation runs. */
struct form_ask {
	struct hd_form *form;
	struct hd_http_request *req;
	const struct hd_vendor *vendor;
	struct hd_phone phone;
	char language[HD_FORM_LANGUAGE_SIZE];
	char user[HD_NAME_SIZE]; /* who is there; "" */
	char number[FORM_NUMBER_SIZE];
};

/* ---- pages ----------------------------------------------------------------------------------- */

int form_url(const struct hd_form *form, const char *phone, const char *what, char url[HD_URL_SIZE])
{
	const struct hd_form_options *o = &form->options;
	size_t len = strlen(form->url);
	char token[HD_TOKEN_SIZE];
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_device_token(o->device, txn, phone, token);
	hd_store_end_read(txn);
	if (err)
		return err;
	while (len > 0 && form->url[len - 1] == '/')
		len--;
	if (snprintf(url, HD_URL_SIZE, "%.*s/%s/%s", (int)len, form->url, token, what) >=
	    HD_URL_SIZE)
		err = HD_ELIMIT;
	hd_wipe(token, sizeof(token));
	return err;
}

int form_user_read(const struct hd_form *form, struct hd_txn *txn, const char *phone,
		   struct hd_user *user, char name[HD_NAME_SIZE],
		   char language[HD_FORM_LANGUAGE_SIZE])
{
	struct hd_desk_session session;
	int err = hd_desk_get_by_phone(form->options.desk, txn, phone, &session);

	if (!err)
		err = hd_user_get(form->options.directory, txn, session.user, user);
	if (err)
		return err;
	(void)snprintf(name, HD_NAME_SIZE, "%s", user->name[0] ? user->name : user->number);
	if (user->language[0])
		(void)snprintf(language, HD_FORM_LANGUAGE_SIZE, "%s", user->language);
	return 0;
}

static void page_answer(const struct form_ask *ask, const char *result, bool failed)
{
	char id[FORM_ID_SIZE], url[HD_URL_SIZE], settings[HD_URL_SIZE] = "";
	uint8_t random[HD_OPID_BYTES];
	const struct form_page page = {
		.url = url,
		.settings = settings,
		.id = id,
		.phone = ask->phone.label[0] ? ask->phone.label : ask->phone.id,
		.language = ask->language,
		.user = ask->user,
		.number = ask->number,
		.result = result,
		.failed = failed,
	};
	struct hd_buf out = { 0 };
	int err;

	hd_random_bytes(random, sizeof(random));
	hd_hex_format(id, random, sizeof(random));
	err = form_url(ask->form, ask->phone.id, "form", url);
	if (!err && ask->vendor->settings && ask->form->options.settings)
		err = form_url(ask->form, ask->phone.id, "settings", settings);
	if (!err)
		err = form_page_render(ask->form->set, ask->vendor, &page, &out, NULL);
	if (err) {
		hd_error("form", "%s: no page for it: %s", ask->phone.id, hd_strerror(err));
		hd_http_answer_error(ask->req, err, "not now");
	} else {
		hd_metric_add(result[0] ? &results : &shown, 1);
		hd_http_answer(ask->req, 200, ask->vendor->form_type,
			       (struct hd_slice){ out.data, out.len });
	}
	if (out.data)
		hd_wipe(out.data, out.size);
	hd_buf_fini(&out);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void ask_free(struct form_ask *ask)
{
	hd_wipe(ask, sizeof(*ask));
	free(ask);
}

static void on_done(void *arg, const struct hd_operation_result *r)
{
	struct form_ask *ask = arg;
	struct hd_buf text = { 0 };

	if (r->language[0])
		(void)snprintf(ask->language, sizeof(ask->language), "%s", r->language);
	hd_operation_text(&text, ask->language, r);
	page_answer(ask, hd_buf_text(&text), !hd_operation_is_success(r));
	hd_buf_fini(&text);
	ask_free(ask);
}

/* The same press, sent again, is the same operation; another PIN is another one. */
static void opid_make(const struct hd_form *form, uint8_t opid[HD_OPID_BYTES],
		      const struct hd_desk_ask *ask, struct hd_slice id)
{
	const struct hd_slice parts[] = {
		hd_slice_of(ask->phone),
		id,
		hd_slice_of(ask->event == HD_DESK_EVENT_LOGIN ? ask->user : "out"),
		ask->pin,
	};
	uint8_t mac[HD_SHA256_BYTES];

	hd_hmac_sha256(mac, &form->key, parts, sizeof(parts) / sizeof(parts[0]));
	memcpy(opid, mac, HD_OPID_BYTES);
}

static void operation_begin(struct form_ask *on_stack, enum hd_desk_event event, const char *pin,
			    struct hd_slice id)
{
	char local[ADDRESS_SIZE], remote[ADDRESS_SIZE];
	struct hd_form *form = on_stack->form;
	struct hd_http_request *req = on_stack->req;
	struct form_ask *ask = malloc(sizeof(*ask));
	struct hd_desk_ask question = {
		.event = event,
		.way = HD_DESK_WAY_FORM,
		.proof = HD_DESK_PROOF_PIN,
		.pin = hd_slice_of(pin),
		.local_address = local,
		.remote_address = remote,
	};
	int err = HD_ENOMEM;

	if (!ask)
		goto out;
	*ask = *on_stack;
	question.phone = ask->phone.id;
	question.user = event == HD_DESK_EVENT_LOGIN ? ask->number : NULL;
	hd_http_addresses(req, local, remote, sizeof(local));
	opid_make(form, question.opid, &question, id);
	err = hd_operations_admit(form->options.operations, event == HD_DESK_EVENT_LOGIN)
		      ? hd_operation_begin(NULL, form->options.operations, &question, on_done, ask)
		      : HD_EBUSY;
	if (!err)
		return;
out:
	free(ask);
	hd_warn("form", "%s: nothing began: %s", on_stack->phone.id, hd_strerror(err));
	hd_http_answer_error(req, err, "not now");
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Who is there, in which language, and whose number is known before it is typed. */
static int state_read(struct form_ask *ask)
{
	const struct hd_form_options *o = &ask->form->options;
	struct hd_desk_session session;
	struct hd_user user;
	struct hd_txn *txn;
	int err;

	(void)snprintf(ask->language, sizeof(ask->language), "%s", ask->form->language);
	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_desk_get_by_phone(o->desk, txn, ask->phone.id, &session);
	if (!err) {
		(void)snprintf(ask->user, sizeof(ask->user), "%s", session.user);
		err = hd_user_get(o->directory, txn, session.user, &user);
	} else if (err == HD_ENOENT && ask->phone.owner[0]) {
		(void)snprintf(ask->number, sizeof(ask->number), "%s", ask->phone.owner);
		err = hd_user_get(o->directory, txn, ask->phone.owner, &user);
	}
	hd_store_end_read(txn);
	if (!err && user.language[0])
		(void)snprintf(ask->language, sizeof(ask->language), "%s", user.language);
	if (!err && user.name[0] && ask->user[0])
		(void)snprintf(ask->user, sizeof(ask->user), "%s", user.name);
	hd_wipe(&user, sizeof(user));
	/* A damaged record of a user costs the name. */
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

/* Some phones ask for one thing after the other: without a PIN the form goes on. */
static void login(struct form_ask *ask, struct hd_slice id)
{
	const char *number = hd_http_field(ask->req, "number");
	const char *pin = hd_http_field(ask->req, "pin");

	if (number && hd_str_set(ask->number, sizeof(ask->number), number)) {
		hd_http_refuse(ask->req, 400, "malformed", "number: too long");
		return;
	}
	if (!ask->number[0] || !pin || !pin[0]) {
		ask->user[0] = '\0';
		page_answer(ask, "", false);
	} else if (strlen(pin) > PIN_MAX) {
		hd_http_refuse(ask->req, 400, "malformed", "pin: too long");
	} else {
		operation_begin(ask, HD_DESK_EVENT_LOGIN, pin, id);
	}
}

/* "ID/login" */
static bool action_parse(const char *rest, struct hd_slice *id, const char **actionp)
{
	const char *slash = strchr(rest, '/');

	if (!slash || slash - rest != FORM_ID_SIZE - 1)
		return false;
	*id = (struct hd_slice){ rest, FORM_ID_SIZE - 1 };
	*actionp = slash + 1;
	return strcmp(*actionp, "login") == 0 || strcmp(*actionp, "logout") == 0;
}

static void method_refuse(struct form_ask *ask, const char *allow)
{
	hd_http_add_header(ask->req, "Allow", allow);
	hd_http_refuse(ask->req, 405, "method-not-allowed", "not with this method");
}

static void act(struct form_ask *ask, struct hd_slice id, const char *action)
{
	const char *method = hd_http_method_name(ask->req);

	/* A HEAD is only a look, and changes nothing. */
	if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
		method_refuse(ask, "GET, POST");
	else if (strcmp(action, "login") == 0)
		login(ask, id);
	else
		operation_begin(ask, HD_DESK_EVENT_LOGOUT, "", id);
}

bool hd_form_serve(struct hd_form *form, struct hd_http_request *req, const struct hd_phone *phone,
		   const struct hd_vendor *vendor, const char *rest)
{
	struct form_ask ask = { .form = form, .req = req, .vendor = vendor, .phone = *phone };
	const char *action = NULL;
	struct hd_slice id;
	bool plain = strcmp(rest, "form") == 0 || strcmp(rest, "form/") == 0;
	int err;

	if (strncmp(rest, "calls", 5) == 0)
		return form_list_serve(form, req, phone, vendor, rest);
	if (strncmp(rest, "settings", 8) == 0)
		return form_settings_serve(form, req, phone, vendor, rest);
	if (!vendor->form ||
	    (!plain && (strncmp(rest, "form/", 5) != 0 || !action_parse(rest + 5, &id, &action))))
		return false;
	err = state_read(&ask);
	if (err) {
		hd_error("form", "%s: no form for it: %s", phone->id, hd_strerror(err));
		hd_http_answer_error(req, err, "not now");
	} else if (action) {
		act(&ask, id, action);
	} else if (strcmp(hd_http_method_name(req), "POST") == 0) {
		method_refuse(&ask, "GET, HEAD");
	} else {
		page_answer(&ask, "", false);
	}
	hd_wipe(&ask, sizeof(ask));
	return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

int hd_form_new(struct hd_form **fp, const struct hd_form_options *options)
{
	struct hd_form *form;

	if (!fp || !options || !options->operations)
		return HD_EINVAL;
	form = calloc(1, sizeof(*form));
	if (!form)
		return HD_ENOMEM;
	form->options = *options;
	hd_random_bytes(&form->key, sizeof(form->key));
	hd_metric_register(&shown);
	hd_metric_register(&results);
	hd_metric_register(form_list_metric());
	hd_metric_register(form_settings_metric());
	*fp = form;
	return 0;
}

void hd_form_free(struct hd_form *form)
{
	if (!form)
		return;
	hd_template_set_free(form->set);
	hd_wipe(form, sizeof(*form));
	free(form);
}

void hd_form_set(struct hd_form *form, struct hd_template_set *set, const char *url,
		 const char *language, const struct hd_form_list *list,
		 const struct hd_form_own *own)
{
	hd_template_set_free(form->set);
	form->set = set;
	(void)snprintf(form->url, sizeof(form->url), "%s", url);
	(void)snprintf(form->language, sizeof(form->language), "%s", language);
	form->list = *list;
	form->own = *own;
}
