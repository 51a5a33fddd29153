/* options.c - the command line; see hotdesk/daemon.h. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon_priv.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "hotdesk/daemon.h"

enum { EXIT_USAGE = 2 };

static const char usage[] = "usage: hotdeskd [-c FILE] [-t] [-V] [-h] [--allow-root]\n"
			    "  -c FILE       configuration (/etc/hotdeskd/hotdeskd.yaml)\n"
			    "  -t            check the configuration and exit 0 or 1\n"
			    "  -V            version\n"
			    "  --allow-root  run although root started it\n";

struct options {
	const char *conf_path;
	bool check, allow_root;
};

/* @return -1 to go on, else the exit status */
static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' }, { "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },	    { "help", no_argument, NULL, 'h' },
		{ "allow-root", no_argument, NULL, 'r' },   { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:tVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conf_path = optarg;
			break;
		case 't':
			o->check = true;
			break;
		case 'r':
			o->allow_root = true;
			break;
		case 'V':
			printf("hotdeskd %s (%s)\n", HD_VERSION, hd_agent_sofia_version());
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "hotdeskd: %s: unexpected\n%s", argv[optind], usage);
	return EXIT_USAGE;
}

static int load(struct daemon *d, const char *path)
{
	struct hd_buf errors = { 0 };
	int err;

	err = hd_conf_load(&d->conf, path, &errors);
	if (err && errors.len)
		fputs(hd_buf_text(&errors), stderr);
	else if (err)
		fprintf(stderr, "hotdeskd: %s: %s\n", path, hd_strerror(err));
	if (err && errors.len && errors.data[errors.len - 1] != '\n')
		fputc('\n', stderr);
	hd_buf_fini(&errors);
	return err;
}

/* What the configuration names beside itself. @return the exit status */
static int check(const struct daemon *d, const char *path)
{
	struct daemon_supply supply = { 0 };
	struct hd_template_set *forms = NULL;
	struct hd_dialling *dialling = NULL;
	struct hd_buf errors = { 0 };
	int err = daemon_supply_load(&supply, d->conf, &errors);

	if (!err)
		err = daemon_forms_load(&forms, d->conf, &errors);
	if (!err)
		err = daemon_dialling_new(&dialling, d->conf, &errors);
	if (err)
		fprintf(stderr, "%s", errors.len ? hd_buf_text(&errors) : hd_strerror(err));
	else
		printf("%s: good\n", path);
	hd_templates_free(supply.templates);
	hd_template_set_free(forms);
	daemon_dialling_free(dialling);
	hd_buf_fini(&errors);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int hd_daemon_main(int argc, char **argv)
{
	struct options options = { .conf_path = "/etc/hotdeskd/hotdeskd.yaml" };
	struct daemon d = { 0 };
	int status;

	status = parse(&options, argc, argv);
	if (status >= 0)
		return status;
	if (load(&d, options.conf_path))
		return EXIT_FAILURE;
	if (options.check) {
		status = check(&d, options.conf_path);
		hd_conf_free(d.conf);
		return status;
	}
	if (geteuid() == 0 && !options.allow_root) {
		fputs("hotdeskd: not as root: it needs no rights (or give --allow-root)\n", stderr);
		hd_conf_free(d.conf);
		return EXIT_FAILURE;
	}
	d.conf_path = options.conf_path;
	status = EXIT_FAILURE;
	if (!daemon_open(&d)) {
		status = daemon_run(&d);
		daemon_close(&d);
	}
	hd_conf_free(d.conf);
	return status;
}
