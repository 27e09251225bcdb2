<?php
// Part of moodledb's sample site: the version that the site's code says it has.

defined('MOODLE_INTERNAL') || die();

$version  = 2024100705.00;
$release  = '4.5.5 (Build: 20250609)';
$branch   = '405';
$maturity = MATURITY_STABLE;
