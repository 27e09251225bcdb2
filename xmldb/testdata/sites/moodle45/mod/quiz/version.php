<?php
$plugin->version = 2024100700;
