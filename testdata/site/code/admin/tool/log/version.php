<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'tool_log';
$plugin->version   = 2024100700;
