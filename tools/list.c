// SPDX-License-Identifier: GPL-2.0
/* nvmq list */
#include <stdio.h>
#include <string.h>

#include "nvmq.h"
#include "sys.h"

static struct json_object *to_json(const struct sys_ctrl *ctrl)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "address", json_object_new_string(ctrl->bdf));
	json_object_object_add(o, "name", json_object_new_string(ctrl->name));
	json_object_object_add(o, "state", json_object_new_string(ctrl->state));
	json_object_object_add(o, "model", json_object_new_string(ctrl->model));
	json_object_object_add(o, "serial", json_object_new_string(ctrl->serial));
	json_object_object_add(o, "firmware", json_object_new_string(ctrl->firmware));
	json_object_object_add(o, "plan", json_object_new_string(ctrl->plan));
	json_object_object_add(o, "granted", json_object_new_string(ctrl->granted));
	json_object_object_add(o, "disks", disks_to_json(ctrl->disks));
	return o;
}

static void print_row(const char *bdf, const char *name, const char *state, const char *model,
		      const char *serial, const char *plan, const char *disks)
{
	printf("%-13s %-8s %-10s %-24s %-20s %-36s %s\n", bdf, name, state, model, serial, plan,
	       disks);
}

int cmd_list(int argc, char **argv)
{
	struct json_object *array = NULL;
	struct sys_ctrl *all;
	size_t i, count;

	if (argc == 2 && !strcmp(argv[1], "--json")) {
		array = json_object_new_array();
	} else if (argc > 1) {
		fprintf(stderr, "nvmq list: %s: not expected\n", argv[1]);
		return 2;
	}
	count = sys_find(&all);
	if (!array)
		print_row("address", "name", "state", "model", "serial", "plan", "disks");
	for (i = 0; i < count; i++) {
		if (array)
			json_object_array_add(array, to_json(&all[i]));
		else
			print_row(all[i].bdf, all[i].name, all[i].state, all[i].model,
				  all[i].serial, all[i].plan, all[i].disks);
	}
	if (array)
		print_json(array);
	sys_free(all, count);
	return 0;
}
