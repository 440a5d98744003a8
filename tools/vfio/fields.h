/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of a controller, and what their bits are called. */
#ifndef NVMQ_VFIO_FIELDS_H
#define NVMQ_VFIO_FIELDS_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>

/* What a number means: how fields_meaning() puts it. */
enum fields_unit {
	UNIT_PLAIN,
	UNIT_PLUS_ONE,		/* 0's based */
	UNIT_HALF_SECONDS,
	UNIT_PAGE,		/* 2^(12 + n) bytes */
	UNIT_STRIDE,		/* 2^(2 + n) bytes */
	UNIT_POWER,		/* 2^n bytes */
	UNIT_HEX,
	UNIT_CSS,
	UNIT_SHST,
	UNIT_ADDRESS,		/* in place: the bits below are zeroes */
};

/**
 * struct fields_field - bits of a register
 * @name: as in the specification
 * @high: the highest bit
 * @low: the lowest
 * @unit: what the number means
 * @text: what it is
 */
struct fields_field {
	const char *name;
	u8 high, low;
	enum fields_unit unit;
	const char *text;
};

/**
 * struct fields_reg - a register
 * @offset: in BAR 0
 * @bytes: 4 or 8
 * @name: as in the specification
 * @text: its long name
 * @fields: its fields, ended by one without a name
 */
struct fields_reg {
	u32 offset;
	u32 bytes;
	const char *name;
	const char *text;
	const struct fields_field *fields;
};

/**
 * fields_is_hex - is a field's meaning its number, in hexadecimal?
 * @field: the field
 *
 * Return: whether it is.
 */
static inline bool fields_is_hex(const struct fields_field *field)
{
	return field->unit == UNIT_HEX || field->unit == UNIT_ADDRESS;
}

extern const struct fields_reg fields_regs[];
extern const size_t fields_nr_regs;

const struct fields_reg *fields_find(u32 offset);
u64 fields_value(const struct fields_field *field, u64 reg);
void fields_meaning(const struct fields_field *field, u64 value, char *text, size_t size);
void fields_print_short(const struct fields_reg *reg, u64 value, FILE *to);

#endif
