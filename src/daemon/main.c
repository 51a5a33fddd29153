/* main.c - hotdeskd. */
#include "hotdesk/daemon.h"

int main(int argc, char **argv)
{
	return hd_daemon_main(argc, argv);
}
