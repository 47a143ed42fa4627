//! One file for each group of figures.
