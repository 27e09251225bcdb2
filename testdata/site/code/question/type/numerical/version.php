<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'qtype_numerical';
$plugin->version   = 2024100700;
