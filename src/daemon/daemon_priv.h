/* daemon_priv.h - the composition root's parts: everything that lives as long as the process. */
#ifndef HOTDESK_DAEMON_PRIV_H
#define HOTDESK_DAEMON_PRIV_H

#include <limits.h>
#include <stdatomic.h>

#include "hotdesk/admin.h"
#include "hotdesk/base/worker.h"
#include "hotdesk/calls.h"
#include "hotdesk/conf.h"
#include "hotdesk/desk_operation.h"
#include "hotdesk/device.h"
#include "hotdesk/directory.h"
#include "hotdesk/event.h"
#include "hotdesk/feature.h"
#include "hotdesk/form.h"
#include "hotdesk/hoteling.h"
#include "hotdesk/lamp.h"
#include "hotdesk/location.h"
#include "hotdesk/notify.h"
#include "hotdesk/plan.h"
#include "hotdesk/pnp.h"
#include "hotdesk/provision.h"
#include "hotdesk/proxy.h"
#include "hotdesk/registrar.h"
#include "hotdesk/render.h"
#include "hotdesk/settings_event.h"
#include "hotdesk/sip/auth.h"
#include "hotdesk/sip/io.h"
#include "hotdesk/store.h"

/* What is read from disk for phones' files, so by the control thread alone. */
struct daemon_supply {
	struct hd_templates *templates;
	struct hd_timezone zone;
};
/* What one thread renders phones' files with. */
struct daemon_render {
	struct daemon_supply supply;
	struct hd_render_values values;
	struct hd_renderer renderer; /* the argument of hd_provision_render() */
	char server[256];
	char url[HD_URL_SIZE];
};

struct daemon {
	const char *conf_path;
	struct hd_conf *conf; /* control thread */
	const struct hd_clock *clock;
	struct hd_key master, pepper;
	struct hd_pin_cost pin_cost; /* the dummy's, so that an unknown number takes as long */
	char *status_path;	     /* what we wrote and remove at the end, or NULL */
	int64_t started_at_ms;

	/* state */
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_location *location;
	struct hd_desk *desk;
	struct hd_device *device;
	struct hd_calls *calls;
	struct hd_settings_store *settings;
	struct hd_accounts *accounts;
	struct hd_worker *worker;
	/* One a thread: the SIP thread's (codes, dialogue, hoteling), the control thread's. */
	struct hd_operations *operations, *control_operations;

	/* control thread */
	struct hd_loop *loop;
	struct hd_http *http;
	struct hd_admin *admin;
	struct daemon_render control_render;
	struct hd_http *phones;	      /* NULL: no provision.listen */
	char phones_url[HD_URL_SIZE]; /* made of domain and listener; "": none */
	struct hd_provision *provision;
	struct hd_form *form;
	struct hd_digest *http_digest;
	struct daemon_logouts *logouts;
	struct hd_timer *second, *watchdog;
	struct hd_dialling *control_dialling;
	struct hd_planner control_planner; /* for what users set on screens */
	struct hd_location_sweep sweep;
	struct hd_command sweep_command, ping_command;
	bool sweeping, pinging;
	uint64_t watchdog_us;
	unsigned seconds;

	/* SIP thread */
	struct hd_agent *agent;
	struct hd_digest *digest;
	struct hd_auth *auth;
	struct hd_registrar *registrar;
	struct hd_proxy *proxy;
	struct hd_features *features;
	struct hd_media *media;
	struct hd_sip_io *media_io;
	struct hd_notify *notify;
	struct hd_notifier *notifier;
	struct hd_lamps *lamps;
	struct hd_hoteling *hoteling;
	struct hd_settings_events *settings_events;
	struct hd_summary_events *summary_events;
	uint32_t ring_s, upstream_answer_ms, upstream_sent_back_max; /* SIP thread */
	struct diversion *diversions; /* calls that were diverted, or may be (divert.c) */
	struct pickup *pickups;	      /* calls that are being picked up (pickup.c) */
	uint64_t told_epoch;	      /* desk changes that subscribers were told of */
	struct hd_pnp *pnp;
	struct hd_upstreams *upstreams;
	struct hd_planner planner;
	struct hd_dialling *dialling;
	struct hd_callbacks *callbacks;
	const char *const *emergency_targets; /* of the configuration, like the next */
	size_t n_emergency_targets;
	const char *location_header; /* "": by what the location is */
	int64_t callback_ms;
	struct daemon_recorder *recorder;
	struct hd_conf_calls conf_calls;   /* copied: this thread's, without its texts */
	struct hd_list_policy list_policy; /* the same */
	struct daemon_render sip_render;
	struct hd_sip_timer *follow; /* until daemon_follow() does it */
	bool follows;		     /* it runs */
	char realm_copy[HD_REALM_SIZE];
	char domain_copy[HD_REALM_SIZE];
	struct hd_task wake_task;
	atomic_int wake_pending;
};

/** Opens everything in order; on an error what was opened is closed again, the reason is in the
 * log. */
HD_MUSTCHECK int daemon_open(struct daemon *d);
void daemon_close(struct daemon *d);
/** Runs until a signal. @return the exit status */
int daemon_run(struct daemon *d);

/** Agent callbacks (route.c). */
void daemon_route(void *arg, struct hd_request *req);
/** For hd_auth_new(): HA1 of a phone. */
int daemon_lookup(void *arg, const char *username, enum hd_digest_algorithm algorithm,
		  char ha1[HD_DIGEST_HA1_SIZE]);

/** Creates the agent and what works on its thread (sip.c). */
HD_MUSTCHECK int daemon_open_sip(struct daemon *d);
void daemon_close_sip(struct daemon *d);
/** The outbox may have grown; the first from any thread, the second on the SIP thread. */
void daemon_wake_notify(void *arg);
void daemon_desk_changed(void *arg);

/** Logins and logouts that answer to a mailbox (operations.c). */
HD_MUSTCHECK int daemon_open_operations(struct daemon *d, struct hd_operations **osp,
					struct hd_mailbox *mailbox);
/** Calls that go on to somebody else when busy or not answered (divert.c); SIP thread. */
bool daemon_refused(void *arg, const struct hd_call *call, int status);
void daemon_divert_note(struct daemon *d, const struct hd_call *call);
void daemon_divert_fini(struct daemon *d);
/** Diversion lines (RFC 5806) of a plan that followed a forwarding; none of another. */
void daemon_add_diversions(struct hd_buf *lines, const struct daemon *d,
			   const struct hd_plan *plan);

/** Events that phones subscribe to (events.c). */
HD_MUSTCHECK int daemon_open_events(struct daemon *d);
void daemon_close_events(struct daemon *d);
/** The SIP thread runs. */
void daemon_start_events(struct daemon *d);
/** New values out of a reload. */
void daemon_events_take(struct daemon *d, const struct hd_conf *conf);
/** A login or logout may have been committed, a call has changed: who watches is told. */
void daemon_tell_watchers(struct daemon *d);
void daemon_call_changed(void *arg, const struct hd_call *call);
/** For hd_features_options: a login dialogue has begun or ended, a user's code has done it. */
void daemon_dialogue(void *arg, const char *phone, bool running);
void daemon_settings_changed(void *arg, const char *phone, bool key);
/**
 * A desk session or a binding has changed: calls that ring where their user sits no more will go
 * where the user is, in a moment; SIP thread (follow.c).
 */
void daemon_follow(struct daemon *d);
/** Where a request goes that is planned; the identity of its caller, or NULL. */
size_t daemon_targets(struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX],
		      const struct hd_plan *plan, const char *identity);

/** Logouts by rule: looked for once a second; the rules of a new configuration (logout.c). */
HD_MUSTCHECK int daemon_logouts_new(struct daemon *d);
void daemon_logouts_look(struct daemon *d);
void daemon_logouts_take(struct daemon *d);
void daemon_logouts_free(struct daemon *d);

/** Told of every call by the proxy; SIP thread (calls.c). */
void daemon_on_call(void *arg, const struct hd_call *call);
/** What the configuration says of PnP, for the SIP thread (pnp.c). */
void daemon_pnp_take(struct daemon *d);
/** Whether a phone has a call or a login dialogue, for hd_notify_new(). */
bool daemon_is_busy(void *arg, const char *phone);
/** For hd_calls_batch: its argument. */
struct daemon_list_owners {
	struct hd_directory *dir;
	struct hd_list_policy policy;
};
bool daemon_list_is_off(const void *owners, struct hd_txn *txn, const char *owner);
/** An hd_command_fn, argument a struct daemon: calls that a former life has left open. */
HD_MUSTCHECK int daemon_close_calls(struct hd_txn *txn, void *daemon);
/** Add the routes about call lists (call_list.c) and calls. */
HD_MUSTCHECK int daemon_mount_call_lists(struct daemon *d);
HD_MUSTCHECK int daemon_mount_calls(struct daemon *d);
/** Values out of the configuration. */
void conf_list_policy(struct hd_list_policy *policy, const struct hd_conf *conf);
void conf_desk_policy(struct hd_desk_policy *policy, const struct hd_conf *conf);
void conf_dialogue(struct hd_dialogue_policy *policy, const struct hd_conf *conf);
void conf_media(struct hd_media_options *options, const struct daemon *d,
		const struct hd_conf *conf);
void conf_codes(struct hd_feature_codes *codes, const struct hd_conf *conf);
void conf_registrar_policy(struct hd_registrar_policy *policy, const struct hd_conf *conf);
void conf_notify_policy(struct hd_notify_policy *policy, const struct hd_conf *conf);
void conf_proxy_limits(struct hd_proxy_limits *limits, const struct hd_conf *conf);
void conf_limits(struct hd_agent_limits *limits, const struct hd_conf *conf);
void conf_log(const struct hd_conf *conf);
HD_MUSTCHECK int conf_digest_options(struct hd_digest_options *options, const struct daemon *d,
				     const struct hd_conf *conf);

/** SIGHUP. Lines about what changed, and what did not, go to the log and, when given, to report. */
int daemon_reload(struct daemon *d, struct hd_buf *report);

/* ---- provision.c ---------------------------------------------------------------------------- */

/** Of a configuration. @param errors receives lines. @return 0 or HD_E* */
HD_MUSTCHECK int daemon_supply_load(struct daemon_supply *supply, const struct hd_conf *conf,
				    struct hd_buf *errors);
/** Loads templates for both threads. */
HD_MUSTCHECK int daemon_open_render(struct daemon *d);
void daemon_close_render(struct daemon *d);
/**
 * On the thread whose it is, after the agent's start (its addresses are what phones are given) and
 * after a reload; moves the templates in. The configuration is borrowed until the next time.
 */
void daemon_render_set(struct daemon_render *render, const struct daemon *d,
		       const struct hd_conf *conf, const struct daemon_supply *supply);
/** Whether a listener's host is every address. */
bool daemon_is_any(const char *host);
/** The keys of a phone for the body of a NOTIFY; the SIP thread. @return 0 or HD_E* */
HD_MUSTCHECK int daemon_patch(void *daemon, const char *phone, struct hd_buf *body);
/** For the server for phones: hd_provision_render() with the control thread's renderer. */
HD_MUSTCHECK int daemon_render_file(void *daemon, struct hd_txn *txn, const struct hd_phone *phone,
				    enum hd_vendor_file kind, struct hd_provision_file *file);
/** For the admin API. */
int daemon_show(void *daemon, struct hd_txn *txn, const struct hd_phone *phone,
		struct hd_admin_render *show);

/** Loads directory.seed into an empty store. */
HD_MUSTCHECK int daemon_seed(struct daemon *d);

/** The admin API, before the SIP side; its socket comes with daemon_open_control(). */
HD_MUSTCHECK int daemon_open_admin(struct daemon *d);
/** Socket, signals, timers. */
HD_MUSTCHECK int daemon_open_control(struct daemon *d);
void daemon_close_control(struct daemon *d);
/** The server for phones (phones.c); without provision.listen there is none. */
HD_MUSTCHECK int daemon_open_provision(struct daemon *d);
void daemon_close_provision(struct daemon *d);
/** The templates of forms. @param errors receives lines. @return 0 or HD_E* */
HD_MUSTCHECK int daemon_forms_load(struct hd_template_set **sp, const struct hd_conf *conf,
				   struct hd_buf *errors);
/** The folder of ours, "provision" or "form", beside the program's. @return dst */
const char *daemon_share_path(char dst[PATH_MAX], const char *name);
/** What URLs of phones begin with: provision.url, or made of domain and listener; "": none. */
void daemon_url(const struct daemon *d, const struct hd_conf *conf, char url[HD_URL_SIZE]);
/** What a reload reads from disk for it. */
struct daemon_phones_supply {
	struct hd_http_tls *tls; /* NULL: it stays */
	struct hd_template_set *forms;
};
/** @param errors tells. @return 0 or HD_E*: then there is nothing to free */
HD_MUSTCHECK int daemon_phones_supply_load(struct daemon_phones_supply *supply,
					   const struct daemon *d, const struct hd_conf *conf,
					   struct hd_buf *errors);
/** After a reload; what is supplied is moved. */
void daemon_provision_take(struct daemon *d, const struct daemon_phones_supply *supply);
enum { DAEMON_LISTENER_SIZE = 96, DAEMON_HTTP_LISTENERS_MAX = 16 };
/** "https:0.0.0.0:8443". @return how many */
size_t daemon_provision_listeners(const struct daemon *d, char texts[][DAEMON_LISTENER_SIZE],
				  size_t max);

/** After a reload: the policies of the admin API. */
void daemon_control_take(struct daemon *d);
/** Writes run.status_file, if there is to be one. */
int daemon_write_status(struct daemon *d);
void daemon_listeners(const struct daemon *d, struct hd_buf *out);

#endif
