// SPDX-License-Identifier: GPL-2.0
/* See json.h. */
#include <stdio.h>

#include "json.h"

/**
 * print_json - print an object on stdout
 * @object: it; freed
 */
void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
