<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'mod_page';
$plugin->version   = 2024100700;
