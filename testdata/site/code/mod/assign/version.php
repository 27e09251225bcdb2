<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'mod_assign';
$plugin->version   = 2024100700;
