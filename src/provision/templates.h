/* templates.h - rendering one of the loaded templates. */
#ifndef PROVISION_TEMPLATES_H
#define PROVISION_TEMPLATES_H

#include "hotdesk/render.h"
#include "hotdesk/template.h"

enum { TEMPLATES_OUTPUT_MAX = 256 * 1024 };

/**
 * @param errors receives a line, or NULL
 * @return 0, HD_ENOENT (the vendor has no such file), HD_ELIMIT, HD_ENOMEM
 */
HD_MUSTCHECK int templates_render(const struct hd_templates *templates,
				  const struct hd_vendor *vendor, enum hd_vendor_file kind,
				  struct hd_view *view, struct hd_buf *out, struct hd_buf *errors);

#endif
