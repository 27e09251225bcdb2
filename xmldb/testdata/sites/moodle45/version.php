<?php
// The version of the test site; $version = 1.00; in a comment does not count.
defined('MOODLE_INTERNAL') || die();

$version  = 2024100705.00;              // Build date.
$release  = '4.5.5 (Build: 20250609)';  # Human-friendly.
$branch   = '405';
$maturity = MATURITY_STABLE;
