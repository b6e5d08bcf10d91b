"""Pure rooms: values in, values out; no stage imports another."""
