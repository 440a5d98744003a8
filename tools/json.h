/* SPDX-License-Identifier: GPL-2.0 */
/* How the tools print JSON. */
#ifndef NVMQ_TOOLS_JSON_H
#define NVMQ_TOOLS_JSON_H

#include <json-c/json.h>

void print_json(struct json_object *object);

#endif
