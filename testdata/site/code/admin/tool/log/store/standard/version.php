<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'logstore_standard';
$plugin->version   = 2024100700;
