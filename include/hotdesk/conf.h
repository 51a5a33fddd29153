/*
 * conf.h - hotdeskd.yaml as one immutable struct, and the directory file.
 *
 * One table says names, types, ranges and defaults, and libcyaml's schema is made from it;
 * `hotdeskd -t`, the start and the reload use the same code. An error is one line, "FILE:LINE: what
 * is wrong, and what was expected". A key that is absent has its default, so that an empty file is
 * a valid configuration. Durations are integers with their unit in the name.
 *
 * Layer: 1.  May include: base.  Thread: load anywhere; the loaded struct is read-only and may be
 * shared.
 */
#ifndef HOTDESK_CONF_H
#define HOTDESK_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/list_mode.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/str.h"
#include "hotdesk/directory_file.h"

enum hd_conf_identity { HD_IDENTITY_PAI = 1, HD_IDENTITY_FROM, HD_IDENTITY_BOTH }; /* bits */
enum hd_transport { HD_UDP, HD_TCP, HD_TLS, HD_HTTP, HD_HTTPS };

/** "udp:192.0.2.1:5060", "tls:[::]:5061", "https:[::]:8443"; port 0 asks for a free one. */
struct hd_listen {
	enum hd_transport transport;
	char host[64]; /* literal address, IPv6 without [] */
	uint16_t port;
};

struct hd_conf_sip {
	char *domain;	/* "hotdesk.local": the domain of all addresses-of-record */
	char *realm;	/* of digest; default: the domain */
	char **aliases; /* further names and addresses that mean us, beside our listeners */
	size_t n_aliases;
	struct hd_listen *listen; /* default udp and tcp 0.0.0.0:5060 */
	size_t n_listen;
	char *tls_certificate, *tls_key; /* PEM files; needed by a tls listener */
	char *tls_ca;			 /* PEM file, or NULL */
	uint32_t t1_ms, t2_ms, t4_ms;	 /* 500, 4000, 5000 */
	uint32_t timer_c_s;		 /* 185 */
	uint32_t call_max_s;		 /* 43200 */
	uint32_t message_max_bytes;	 /* 65536 */
	uint32_t header_max;		 /* 128 header lines */
	uint32_t udp_max_bytes;		 /* 1300: larger requests prefer TCP */
	uint32_t udp_receive_bytes;	 /* 8388608: room of the kernel for a UDP listener */
	uint32_t send_queue_max;	 /* 1000 messages that wait for one connection */
	uint32_t max_forwards;		 /* 70: of a request that has none */
	uint32_t max_breadth;		 /* 60: of a request that has none, RFC 5393 */
	uint32_t transactions_max;	 /* 10000 open server transactions, then 503 */
	uint32_t transactions_kept_max;	 /* 50000, answered ones included */
	uint32_t retry_after_min_s, retry_after_max_s; /* 5, 30: of a 503 */
	uint32_t connections_max;	 /* 4096; and never over 80 % of RLIMIT_NOFILE */
	uint32_t connections_per_source; /* 256 */
	uint32_t first_message_s, half_message_s, idle_s; /* 10, 5, 7200 */
	uint32_t tcp_keepalive_s, tcp_timeout_s;	  /* 60, 30 */
	uint32_t source_rate, source_burst; /* of one source: 200, 400 requests/s; 0: no limit */
	uint32_t emergency_rate, emergency_burst; /* 20, 60: beside that, or that when it is more */
	char **source_exempt;			  /* without it: "127.0.0.0/8", "::1/128" */
	size_t n_source_exempt;
	char **trusted; /* networks whose P-Asserted-Identity counts; without it: none */
	size_t n_trusted;
	enum hd_conf_identity identity; /* pai */
	char **dns_servers; /* for next hops with a name; without it: those of resolv.conf */
	size_t n_dns_servers;
	uint32_t dns_timeout_ms, dns_lookups_max;	       /* 5000, 256 */
	uint32_t dns_cache_max, dns_ttl_max_s, dns_negative_s; /* 1024, 3600, 60 */
	bool sofia_guard;				       /* true; design.md section 9 */
	uint32_t sofia_log_level;			       /* 0..9; 1 */
};

struct hd_conf_auth {
	bool md5, sha256;	/* algorithms: [SHA-256, MD5] */
	uint32_t nonce_s;	/* 300 */
	uint32_t nonces_max;	/* 16384: used ones remembered */
	bool without_qop;	/* true: accept RFC 2069 clients */
	char **md5_only_agents; /* how their User-Agent begins; "baresip v1.0.0" */
	size_t n_md5_only_agents;
};

struct hd_conf_registrar {
	uint32_t expires_min_s, expires_max_s, expires_default_s; /* 60, 7200, 3600 */
	uint32_t contacts_max;					  /* 1 (..HD_BINDINGS_MAX) */
	bool service_route;					  /* true */
	uint32_t flow_timer_s;					  /* 120; 0: none */
	bool soft_refresh; /* true: a mere refresh is acknowledged before it is written */
};

struct hd_conf_events {
	uint32_t expires_min_s, expires_max_s, expires_default_s; /* 60, 7200, 3600 */
	uint32_t subscriptions_max, phone_max;			  /* 20000, 256; then 503 */
	uint32_t notify_rate; /* 10 NOTIFYs a second to one phone; 0: no limit */
};

struct hd_conf_desk {
	char *login_code, *logout_code, *toggle_code;		  /* "*771" "*772" "*770" */
	bool refuse_occupied;					  /* occupied: replace | refuse */
	uint32_t lock_after, lock_s, lock_max_s, hard_lock_after; /* 5 900 86400 50 */
	uint32_t phone_tries, phone_window_s, phone_lock_s;	  /* 10 600 600 */
	uint32_t unknown_max;					  /* 10000 */
	uint32_t guest_s;	   /* 43200: how long who came by hoteling may stay; 0: no limit */
	uint32_t dialogue_s;	   /* 120: how long a login dialogue may stay open */
	uint32_t dialogues_max;	   /* 1000 open ones, then 503 */
	char *logout;		   /* "never"; hotdesk/base/logout.h */
	uint32_t logout_warning_s; /* 60; 0: none */
	bool own_name;		   /* false: users may change the name that others see */
	uint32_t own_keys;	   /* 20: keys that users may make for themselves; 0: none */
	uint32_t audit_max;	   /* 10000 entries kept */
	uint32_t resync_retry_s, resync_retry_max_s; /* 5, 300: repeating an unanswered NOTIFY */
	uint32_t resync_fetch_s;		     /* 30: for the fetch after a NOTIFY */
	uint32_t resync_tries, resync_rare_s; /* 5, 3600: then it is reported, and asked rarely */
};

struct hd_conf_codes { /* hotdesk/plan.h; "": off */
	char *dnd_on, *dnd_off, *dnd_toggle, *rings, *pickup, *forward_always, *forward_always_off,
		*forward_busy, *forward_busy_off, *forward_no_answer, *forward_no_answer_off,
		*forward_not_logged_in, *forward_not_logged_in_off, *speed_dial;
	bool pickup_everybody; /* false: of the same group only */
};

struct hd_conf_dialogue {
	char *prompts;			      /* /usr/share/hotdeskd/prompts */
	char *language;			      /* NULL: as the phone says */
	uint32_t tries;			      /* 3 */
	uint32_t first_s, digit_s, reminders; /* 10, 5, 2 */
	uint32_t number_length, pin_length;   /* 0: ended by '#' or a pause */
	uint32_t per_phone;		      /* 2 */
};

struct hd_conf_media {
	char *address;		     /* NULL: the one that leads to the phone */
	uint32_t port_min, port_max; /* 16384, 20479; 0, 0: any */
	uint32_t silent_s;	     /* 30; 0: never */
};

struct hd_conf_plan {
	char **emergency; /* "112", "110", "911" */
	size_t n_emergency;
	uint32_t ring_s; /* 5: how long one ring is, for "forward after so many rings" */
	/* How numbers are dialled: hotdesk/number.h. NULL. */
	char *country, *area, *own, *outside, *national, *international;
	char *voicemail, *fallback; /* struct hd_dialling has what they mean. NULL */
};

struct hd_conf_rights {
	char **lists, **classes; /* hd_rights_new() */
	size_t n_lists, n_classes;
	char *users;	     /* "country": class of users without one of their own */
	char *free, *closed; /* "house": of phones nobody is logged in at */
};

struct hd_conf_emergency {
	char **targets; /* numbers, phones, SIP URIs; tried in this order. Without it: none */
	size_t n_targets;
	char *location_header; /* NULL: by what the location is */
	uint32_t callback_s;   /* 3600 */
};

struct hd_conf_pin {
	uint32_t length_min, length_max; /* 6, 32 */
	bool trivial;			 /* false */
	uint32_t memory_kib, passes;	 /* 19456, 2 */
	uint32_t threads, queue_max;	 /* 1, 64 */
};

struct hd_conf_store {
	char *path;			   /* /var/lib/hotdeskd */
	uint32_t map_mib, map_max_mib;	   /* 1024, 65536 */
	uint32_t batch_max, batch_wait_us; /* 256, 10000 */
	uint32_t soft_delay_ms;		   /* 5000 */
	uint32_t queue_max;		   /* 8192 */
};

struct hd_conf_admin {
	char *socket;			     /* /run/hotdeskd/admin.sock */
	uint32_t socket_mode;		     /* 0660, written as the string "0660" */
	uint32_t connections_max, timeout_s; /* 64, 30 */
};

enum hd_login_code { HD_LOGIN_CODE_TOGGLE, HD_LOGIN_CODE_LOGIN };

struct hd_conf_provision {
	char *templates;		/* the administrator's folder; NULL: ours alone */
	char *server;			/* "ADDRESS[:PORT]" of the outbound proxy; NULL: ours */
	enum hd_transport transport;	/* udp */
	char *login_key;		/* "vendor", "none" or a place */
	uint32_t call_list_key;		/* 0: none */
	enum hd_login_code login_code;	/* toggle */
	bool login_form;		/* true: the key of a free phone opens a form, if it can */
	bool hoteling, feature_sync;	/* false, true: phones are told to use these packages */
	char *language;			/* "en" */
	char *timezone;			/* NULL: the system's */
	char *ntp;			/* NULL: phones are told none */
	char *text_login, *text_logout; /* NULL: hotdesk/face.h has them, by language */
	char *text_owner, *text_free, *text_occupied, *text_closed;

	bool keep_secrets;	  /* false: those of phones with a model only */
	struct hd_listen *listen; /* default none: phones get no configuration here */
	size_t n_listen;
	char *url; /* what phones' URLs begin with; NULL: made of domain and listener */
	char *tls_certificate, *tls_key; /* PEM files; needed by an https listener */
	char *tls_client_ca;		 /* PEM file, or NULL */
	char **plain_networks;		 /* none: nothing without TLS */
	size_t n_plain_networks;
	bool digest;	       /* true: HTTP digest as well as tokens and certificates */
	bool pnp;	       /* false: answer SUBSCRIBE ua-profile, by multicast, too */
	char **pnp_interfaces; /* none: all */
	size_t n_pnp_interfaces;
	char **pnp_token_networks; /* none: nobody gets a token by asking */
	size_t n_pnp_token_networks;
	uint32_t source_rate, source_burst; /* of one source: 50, 200 requests/s; 0: no limit */
	char **source_exempt;		    /* without it: "127.0.0.0/8", "::1/128" */
	size_t n_source_exempt;
	uint32_t failures_max, failures_window_s; /* of one source: 20 in 600 s; 0: no limit */
	uint32_t connections_max, connections_per_source, timeout_s; /* 1024, 64, 20 */
};

struct hd_conf_calls {
	bool record;		/* true: calls are written to their users' lists */
	uint32_t keep_days;	/* 90 */
	uint32_t keep_max;	/* 1000 entries of each user */
	enum hd_list_mode list; /* central */
	char **group_lists;	/* "sales=local" */
	size_t n_group_lists;
	uint32_t shown;	       /* 50 entries on a phone */
	bool missed_on_phones; /* true: how many, on the idle screen */
	bool clear_phones;     /* true: free phones forget their own lists */
};

struct hd_conf_upstream {
	char **peers; /* lines of hotdesk/base/peer.h; none */
	size_t n_peers;
	uint32_t answer_ms, register_rate, register_max; /* 4000, 50 a second, 100 */
	uint32_t sent_back_max, retry_s, retry_max_s;	 /* 20, 30, 1800 */
	char *tls_ca;					 /* PEM file, or NULL */
};

struct hd_conf_log_level {
	char *subsystem;
	enum hd_log_level level;
};
struct hd_conf_log {
	enum hd_log_format format; /* auto | stderr | journal */
	enum hd_log_level level;   /* info */
	struct hd_conf_log_level *subsystems;
	size_t n_subsystems;
};

struct hd_conf {
	struct hd_conf_sip sip;
	struct hd_conf_auth auth;
	struct hd_conf_registrar registrar;
	struct hd_conf_events events;
	struct hd_conf_desk desk;
	struct hd_conf_codes codes;
	struct hd_conf_dialogue dialogue;
	struct hd_conf_media media;
	struct hd_conf_plan plan;
	struct hd_conf_rights rights;
	struct hd_conf_emergency emergency;
	struct hd_conf_pin pin;
	struct hd_conf_store store;
	struct hd_conf_admin admin;
	struct hd_conf_provision provision;
	struct hd_conf_calls calls;
	struct hd_conf_upstream upstream;
	struct hd_conf_log log;
	char *directory_seed; /* directory.seed: loaded into an empty store; NULL: none */
	char *key_file;	      /* security.key_file: /var/lib/hotdeskd/master.key */
	uint32_t drain_s;     /* run.drain_s: 5 */
	char *status_file;    /* run.status_file: real addresses as JSON; NULL: none */
};

/**
 * Loads and checks a file. Relative paths in it are relative to its folder.
 * @param errors receives one line per problem (at least the first); borrowed
 * @return 0, HD_EPARSE (errors tells), HD_ESYSTEM (cannot be read), HD_ENOMEM
 */
HD_MUSTCHECK int hd_conf_load(struct hd_conf **confp, const char *path, struct hd_buf *errors);
/** The same from memory; `name` stands for the file in errors. */
HD_MUSTCHECK int hd_conf_parse(struct hd_conf **confp, struct hd_slice text, const char *name,
			       struct hd_buf *errors);
/** Of hd_conf_load() or hd_conf_parse() only, like what hd_conf_diff() compares. NULL-safe. */
void hd_conf_free(struct hd_conf *conf);

/**
 * Compares two configurations key by key.
 * @param fixed receives the names of changed keys that need a restart, ", " between them
 * @param live  receives the names of changed keys that can change now
 */
void hd_conf_diff(const struct hd_conf *before, const struct hd_conf *after, struct hd_buf *fixed,
		  struct hd_buf *live);

/** Every key of the table, "sip.listen\n"..., in order: to be compared with conf/hotdeskd.yaml. */
void hd_conf_keys(struct hd_buf *out);

#endif
